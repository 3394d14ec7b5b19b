# Code objects can be copied with changes, compared and hashed.
def f(a, b=2, *, c=3):
    "doc"
    return a + b + c


c = f.__code__
d = c.replace(co_name="g", co_firstlineno=100)
print(d.co_name, d.co_firstlineno, d == c, d.co_filename == c.co_filename, d.co_varnames)
print(c.replace() == c, hash(c.replace()) == hash(c), c != d)
f.__code__ = c.replace(co_consts=tuple("new doc" if x == "doc" else x for x in c.co_consts))
print(f(1), f.__code__.co_consts[0], f.__code__.co_argcount, f.__code__.co_kwonlyargcount)
h = eval("lambda x: x + 1").__code__
print(type(h.co_code), type(h.co_linetable), type(h.co_exceptiontable), h.co_nlocals)
for bad in ({"co_name": 3}, {"co_nothing": 1}, {"co_argcount": 9}, {"co_varnames": [1]}):
    try:
        c.replace(**bad)
    except (TypeError, ValueError) as e:
        print(type(e).__name__)
one, two = compile("x = 1", "a", "exec"), compile("x = 1", "a", "exec")
print(one == two, one == compile("x = 1.0", "a", "exec"), len({one, two}))
