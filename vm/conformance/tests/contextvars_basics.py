# Context variables, tokens and contexts.
from _contextvars import Context, ContextVar, Token, copy_context

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return type(e).__name__

v = ContextVar("v")
d = ContextVar("d", default=7)
print(v.name, attempt(v.get), v.get(3), d.get(), d.get(8))
t = v.set(1)
print(v.get(), t.var is v, t.old_value is Token.MISSING, repr(Token.MISSING))
t2 = v.set(2)
print(t2.old_value, v.get(), v.reset(t2), v.get(), attempt(v.reset, t2), attempt(d.reset, t), attempt(v.reset, 5))
c = copy_context()
def inside(x, *, y):
    v.set(x)
    print(v.get(), c[v], y)
    return copy_context()
inner = c.run(inside, 10, y=5)
print(v.get(), c[v], len(c), list(c) == [v], list(c.values()), list(c.items()) == [(v, 10)], v in c, d in c, c.get(d), c.get(d, 1), attempt(lambda: c[d]), attempt(lambda: c["x"]))
print(inner == c, inner == copy_context(), inner is c, c.copy() == c)
print(attempt(c.run, lambda: c.run(lambda: 1)), attempt(c.run), attempt(Context, 1), attempt(ContextVar, 1), attempt(ContextVar), attempt(Token))
def fails():
    v.set(99)
    raise KeyError
print(attempt(c.run, fails), c[v], v.get())
print(attempt(v.reset, c.run(v.set, 5)))
for base in (Context, ContextVar, Token):
    print(attempt(type, "Sub", (base,), {}))
print(repr(d)[:35], repr(t)[:18], ContextVar[int], attempt(hash, c), isinstance(hash(v), int))
v.reset(t)
print(attempt(v.get))
keys = iter(inner)
inner.run(d.set, 1)
print(len(list(keys)), len(inner))
