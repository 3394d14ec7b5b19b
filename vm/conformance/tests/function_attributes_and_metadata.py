# A function carries name, qualname, doc, annotations, defaults and a dict.
def outer():
    def inner(a: int, b: "text" = 1, *, c: float = 2.0) -> None:
        "Doc."
    return inner
f = outer()
print(f.__name__, f.__qualname__, f.__doc__, f.__annotations__, f.__kwdefaults__)
f.tag = 1
print(f.__dict__, f.__module__)
f.__name__ = "renamed"
print(f.__name__)
c = f.__code__
print(c.co_argcount, c.co_kwonlyargcount, c.co_varnames, c.co_name)
