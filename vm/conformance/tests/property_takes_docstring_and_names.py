# Docstrings of properties and of their subclasses; what their errors say.
class Sub(property):
    """of the class"""


class Slots(property):
    __slots__ = ()


def getter(self):
    """of the getter"""


class C:
    plain = property(getter)
    given = property(getter, doc="given")
    sub = Sub(getter)
    changed = Sub(getter).getter(lambda self: 1)
    none = property()

    class Inner:
        x = property()


C.late = property()
print(C.plain.__doc__, C.given.__doc__, C.sub.__doc__, C.changed.__doc__, C.none.__doc__)
print(C.plain.setter(print).__doc__, C.given.getter(len).__doc__, C.given.fset)
C.plain.__doc__ = "new"
print(C.plain.__doc__)
try:
    Slots(getter)
except AttributeError as e:
    print(e)
for obj, name in [(C(), "none"), (C(), "late"), (C.Inner(), "x")]:
    for what in (lambda: getattr(obj, name), lambda: setattr(obj, name, 1), lambda: delattr(obj, name)):
        try:
            what()
        except AttributeError as e:
            print(e)
for name in ("fget", "fset", "fdel"):
    try:
        setattr(C.plain, name, 1)
    except AttributeError as e:
        print(e, type(getattr(property, name)).__name__)
for args in [(), (1,), (1, 2, 3)]:
    try:
        property().__set_name__(*args)
    except TypeError as e:
        print(e)


def f() -> int:
    """doc"""


print(staticmethod(f).__annotations__, classmethod(f).__doc__)


class D:
    def method(self, cls):
        return cls


class E:
    bound = classmethod(D().method)


print(E.bound() is E, hasattr(D().method, "__get__"))
