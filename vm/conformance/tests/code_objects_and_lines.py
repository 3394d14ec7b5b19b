# A code object's lines, names and constants are visible.
def f(a, b):
    x = a + 1
    return x * b
c = f.__code__
print(c.co_name, c.co_firstlineno, c.co_varnames, c.co_nlocals, c.co_flags & 3, c.co_freevars, c.co_cellvars, c.co_qualname, 1 in c.co_consts)
print([l for _, _, l in c.co_lines() if l is not None][-1] - c.co_firstlineno, c.replace(co_name="g").co_name)
