# A metaclass makes the class, may prepare its namespace and takes keywords.
class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases, **kw):
        print("prepare", name, kw)
        return {"made_by": mcs.__name__}
    def __new__(mcs, name, bases, ns, **kw):
        print("new", name)
        return super().__new__(mcs, name, bases, ns)
    def __init__(cls, name, bases, ns, **kw):
        print("init", name)
        super().__init__(name, bases, ns)
    def __call__(cls, *a):
        print("call", a)
        return super().__call__(*a)
    @property
    def loud(cls): return cls.__name__.upper()
class C(metaclass=Meta, flag=1):
    def __init__(self, x): self.x = x
print(C(3).x, C.made_by, C.loud, type(C).__name__)
class D(C): pass
print(type(D).__name__)
class M2(type): pass
try:
    class E(C, metaclass=M2): pass
except TypeError as e:
    print(e)
