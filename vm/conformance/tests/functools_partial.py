# partial: calls, flattening, repr, copies, state, subclasses.
from _functools import partial

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

def f(*args, **kwargs):
    return args, kwargs

p = partial(f, 1, 2, a=3)
print(p(), p(4, b=5), p(a=9), p.args, p.keywords, p.func is f)
q = partial(p, 6, c=7)
print(q(8), q.func is f, q.args, q.keywords, p.keywords)
print(repr(partial(len)), repr(partial(int, "x", base=2)))
class Sub(partial):
    pass
s = Sub(int, base=2)
print(s("101"), repr(s), type(partial(s, 1)).__name__, partial(s).func)
s.tag = 1
print(partial(s).func is s, s.__dict__)
print(attempt(partial), attempt(partial, 3), attempt(setattr, p, "func", 1), attempt(delattr, p, "args"))
r = p.__reduce__()
print(r[0] is partial, r[1] == (f,), r[2][1:])
new = r[0](*r[1]); new.__setstate__(r[2]); print(new())
for bad in (None, (), (f, (), {}), (f, [], {}, {}), (3, (), {}, {}), (f, (), [], {})):
    print(attempt(new.__setstate__, bad))
new.__setstate__((f, (9,), None, {"x": 1})); print(new(), new.x, new.__dict__)
me = partial(f); me.__setstate__((me, (), {}, {})); print(repr(me)); me.__setstate__((f, (me,), {}, {})); print(repr(me)[:19])
class C:
    m = partial(f, 1)
print(C().m(2), partial[int], callable(p), attempt(lambda: partial(f)(**{"self": 1, "func": 2})))
total = 0
add = partial(lambda a, b, c=0: a + b + c, 1)
for i in range(2000):
    total += add(i, c=1)
print(total)
