# deque: operations at both ends, limits, mutation while it is walked over, errors.
from _collections import deque

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

d = deque("abc")
d.append("d"); d.appendleft("z"); d.extend("ef"); d.extendleft("yx")
print(d, len(d), d.pop(), d.popleft(), d[0], d[-1], d.maxlen)
d.rotate(2); print(d); d.rotate(-3); print(d); d.rotate(100); print(d); d.rotate(); print(d)
d.reverse(); print(d)
d[1] = "?"; del d[0]; del d[-1]; del d[2]; print(d, "?" in d, "no" in d)
for i in (0, 2, -1, 99, -99):
    d.insert(i, i)
    print(d)
print(d.index(2), d.count(2), d.remove(2), d, attempt(d.remove, "q"), attempt(d.index, "q"), attempt(d.index, 99, 0, 3))
print(d.copy() == d, d + deque([1]), d * 2, 2 * deque([1]), d * 0, d * -1)
d *= 2; print(d)
d += [7]; print(d)
d.extend(d); print(len(d))
d.clear(); print(d, bool(d), attempt(d.pop), attempt(d.popleft))
m = deque(range(10), 4)
print(m, m.maxlen); m.append(10); print(m); m.appendleft(0); print(m); m.extendleft([5, 6]); print(m, m * 3, m + m, m.copy())
print(attempt(m.insert, 0, 1), deque("ab", maxlen=0), deque([], 2) * 2)
print(deque("ab") < deque("ac"), deque("ab") <= deque("ab"), deque("a") < deque("ab"), deque("b") > deque("ab"), deque([1]) == deque([1.0]), deque([1]) != deque([2]), deque() == [], deque([1]) >= deque())
d = deque([1, 2])
d.append(d); print(d)
d = deque(range(5))
print(list(reversed(d)), list(d))
for op in (lambda: d.append(1), lambda: d.popleft(), lambda: d.rotate(), lambda: d.clear()):
    i = iter(d)
    next(i)
    op()
    print(attempt(next, i), attempt(next, i), i.__length_hint__())
class Evil:
    def __eq__(self, other):
        e.clear()
        return False
e = deque([Evil(), 1]); print(attempt(e.index, 5))
e = deque([Evil(), 1]); print(attempt(e.count, 5))
e = deque([Evil(), 1]); print(attempt(e.remove, 5))
e = deque([Evil(), 1]); print(attempt(lambda: 5 in e))
d = deque([1, 2])
for f in (lambda: d["a"], lambda: d[9], lambda: d.__delitem__(9), lambda: deque(1, 2, 3), lambda: deque(maxlen="a"), lambda: deque(maxlen=-1), lambda: deque(maxlen=1 << 70), lambda: d + 3, lambda: d * "a", lambda: d.rotate("a"), lambda: hash(d), lambda: d.append(), lambda: deque.append(), lambda: deque(foo=1), lambda: d[1:2], lambda: d < 3, lambda: setattr(d, "x", 1), lambda: setattr(d, "maxlen", 1), lambda: d.extend(3), lambda: type(iter(d))(3)):
    print(attempt(f))
print(d.__reduce__()[:3], deque([], 3).__reduce__()[:3], iter(d).__reduce__(), reversed(d).__reduce__())
i = iter(deque("abcd")); next(i); f, a = i.__reduce__(); print(list(f(*a)), list(f(deque("xyz"), 2)))
class Sub(deque):
    def __init__(self, items=(), maxlen=None, tag=None):
        super().__init__(items, maxlen)
        self.tag = tag
s = Sub("ab", tag=5)
print(s, s.copy(), type(s.copy()).__name__, type(s + s).__name__, type(s * 2).__name__, s.__reduce__()[1:3], Sub("abc", 2))
match deque([1, 2, 3]):
    case [a, *b]:
        print(a, b)
print(deque[int], deque.__name__, deque.__module__, deque.__hash__)
big = deque()
for i in range(5000):
    big.append(i)
    if i % 3 == 0:
        big.popleft()
print(len(big), big[0], big[-1], sum(big))
