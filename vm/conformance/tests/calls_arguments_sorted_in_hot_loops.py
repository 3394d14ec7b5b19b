# Arguments by name, by default and by star reach their parameters, in loops that are compiled too.
def kwonly(a, b=2, *, c=3, d): return (a, b, c, d)
def stars(a, *rest, k=1, **more): return (a, rest, k, sorted(more.items()))
class P:
    def __init__(self, x, y=5, *args, z=7, **kw):
        self.v = (x, y, args, z, tuple(kw.items()))
class Q:
    def __init__(self, x, y): self.v = (x, y)
    def m(self, a, *, b=4): return (self.v, a, b)
    def loop(self, n, *, step=1):
        t = 0
        for i in range(n): t += step
        return t
def deco(f):
    def w(*args, **kw): return f(*args, **kw)
    return w
@deco
def add(a, b=1): return a + b
def fact(n, *, acc=1): return acc if n < 2 else fact(n - 1, acc=acc * n)
def run(n):
    out = []
    q = Q(1, 2)
    bm = q.m
    for i in range(n):
        r = [kwonly(i, d=1), kwonly(i, 5, d=2, c=i), stars(i), stars(i, 1, 2), stars(i, 1, k=3, z=i, y=2),
             P(i).v, P(i, 2, 3, 4).v, P(y=i, x=2).v, P(i, z=1, q=2).v, Q(x=i, y=2).v, Q(y=1, x=i).v,
             q.m(i), q.m(i, b=2), bm(i), bm(i, b=i), bm(a=i), q.loop(3), q.loop(2, step=i), q.loop(n=2),
             add(i), add(i, 2), add(i, b=3), kwonly(*(i, 2), d=1), stars(*(i, 2, 3)), stars(*[i, 2]), fact(5), fact(6, acc=2)]
        if i % 97 == 0: out.append(r)
    return out
for line in run(1000):
    print(line)
def bad(n):
    k = []
    for i in range(n):
        for call in (lambda: kwonly(i), lambda: kwonly(i, d=1, e=2), lambda: Q(x=1), lambda: Q(1, 2, 3), lambda: Q(1, x=2), lambda: stars(), lambda: kwonly(*(1,2,3), d=1), lambda: stars(1, a=2)):
            try: call(); k.append('none')
            except TypeError as e: k.append(str(e))
    return k
print(sorted(set(bad(100))))
kwonly.__kwdefaults__['c'] = 'changed'
print(run(200)[0][0], run(500)[-1][0])
kwonly.__kwdefaults__ = {'c': 'new', 'd': 'given'}
print(kwonly(1), run(200)[0][0])
