# __init_subclass__ runs for each subclass with the class keywords.
class Base:
    seen = []
    def __init_subclass__(cls, /, tag=None, **kw):
        super().__init_subclass__(**kw)
        Base.seen.append((cls.__name__, tag))
class A(Base, tag="a"): pass
class B(A): pass
print(Base.seen)
try:
    class C(Base, other=1): pass
except TypeError as e:
    print(e)
