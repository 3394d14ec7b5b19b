# getattr, setattr, hasattr, delattr, callable, id, type, vars.
class C: x = 1
c = C()
setattr(c, "y", 2)
print(getattr(c, "y"), getattr(c, "z", None), hasattr(c, "x"), hasattr(c, "z"), callable(C), callable(c), callable(len), id(c) == id(c), type(c) is C, vars(c))
delattr(c, "y")
print(vars(c))
class P:
    @property
    def bad(self): raise ValueError("not hidden")
try:
    hasattr(P(), "bad")
except ValueError as e:
    print(e)
for f in [lambda: getattr(c, 5), lambda: setattr(c, 5, 1), lambda: getattr(c, "z"), lambda: vars(5), lambda: hasattr(c, 1)]:
    try:
        f()
    except (TypeError, AttributeError) as e:
        print(type(e).__name__, e)
