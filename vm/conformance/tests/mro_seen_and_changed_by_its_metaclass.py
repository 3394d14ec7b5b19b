# A metaclass's `mro` runs while the class has no MRO, or assigns bases meanwhile.
log = []


class M(type):
    busy = None

    def mro(cls):
        if cls.__mro__ is None:
            try:
                super(cls, cls).nothing
            except AttributeError:
                log.append(("no attribute", cls.__name__))
            if cls.__name__ == "A":
                try:
                    type("X", (cls,), {})
                except TypeError as e:
                    log.append(str(e))
        if M.busy and cls.__name__ == "C":
            again, M.busy = M.busy, None
            again()
        return type.mro(cls)


class A(metaclass=M):
    pass


class B1(A):
    pass


class B2(A):
    pass


class C(A):
    pass


def other():
    C.__bases__ = (B2,)


M.busy = other
C.__bases__ = (B1,)
B1.__bases__ = (C,)
print(C.__bases__, B2.__subclasses__(), B1.__subclasses__(), B1.__mro__)
try:
    C.__bases__ = (B1,)
except TypeError as e:
    print(e)
print(log)


class Once(type):
    flag = 0

    def mro(cls):
        if Once.flag and cls.__name__ == "F":
            raise RuntimeError("no more")
        return type.mro(cls)


class D:
    pass


class E(D):
    pass


class F(E, metaclass=Once):
    pass


class New:
    def hello(self):
        return "hello"


Once.flag = 1
before = E.__mro__
try:
    E.__bases__ = (New,)
except RuntimeError as e:
    print(e, E.__mro__ == before, E.__bases__, hasattr(E(), "hello"))


class Bad(type):
    def mro(cls):
        return (D,)


try:
    class G(metaclass=Bad):
        pass
except TypeError as e:
    print(e)


class Wide(type):
    def mro(cls):
        return [cls, int, object]


try:
    class H(metaclass=Wide):
        pass
except TypeError as e:
    print(e)


class S:
    __slots__ = ["__classcell__", "__qualname__"]


s = S()
s.__classcell__ = 1
print(S.__qualname__, type(S.__dict__["__qualname__"]).__name__, s.__classcell__)


class Odd:
    def __new__(cls, arg):
        return object.__new__(Sub)


class Sub(Odd):
    def __init__(self, arg):
        self.arg = arg


print(Odd(7).arg)
