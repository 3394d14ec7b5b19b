# defaultdict: the factory, copies, unions, and what is not called.
from _collections import defaultdict, _count_elements

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

d = defaultdict(list)
d["a"].append(1); d["a"].append(2); d["b"]
print(d, d["a"], d.get("c"), "c" in d, len(d), d.default_factory)
d.default_factory = None
print(attempt(lambda: d["x"]), d)
print(attempt(defaultdict, 3), attempt(defaultdict, int, 1), attempt(defaultdict, int, {}, 3), defaultdict(int, a=1), defaultdict(int, [(1, 2)], b=2), defaultdict())
c = defaultdict(int, {1: 2})
copies = [c.copy(), c.__copy__()]
c[5] += 1
print(c, copies, [type(x).__name__ for x in copies], copies[0].default_factory)
print(c | {7: 8}, {7: 8} | c, attempt(lambda: c | 3), c == {1: 2, 5: 1})
c |= {1: 1}
print(c, c.__reduce__()[:4], list(c.__reduce__()[4]), defaultdict(None, a=1).__reduce__()[:4])
class Sub(defaultdict):
    pass
s = Sub(int); s["q"]
print(s, type(s.copy()).__name__, attempt(s.__missing__, 9), s)
class Loop(defaultdict):
    def __init__(self):
        defaultdict.__init__(self, self.make)
    def make(self):
        return 5
l = Loop(); l[1]
print(repr(l)[:5], l[1], l[2])
r = defaultdict(lambda: r); r[1][2] = 3
print(len(r), r[1] is r)
def raising():
    raise ValueError("from the factory")
print(attempt(lambda: defaultdict(raising)[1]))
print(isinstance(d, dict), defaultdict.__mro__, defaultdict.__module__, defaultdict[int, str])
for i in range(300):
    d2 = defaultdict(int)
    for ch in "abracadabra":
        d2[ch] += 1
print(dict(d2))
m = {}
_count_elements(m, "abracadabra"); print(m)
class Odd(dict):
    def get(self, k, default=None):
        return dict.get(self, k, 10)
o = Odd(); _count_elements(o, "aab"); print(o, attempt(_count_elements, 3, "a"), attempt(_count_elements, {}, [[]]))
