# Abstract classes: registration, hooks, caches, abstract methods and patterns.
import abc
import _abc
from _collections_abc import Sequence, Mapping, Hashable, Iterable, Sized


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        ...

    @property
    @abc.abstractmethod
    def name(self):
        ...


for make in (Shape, type("Half", (Shape,), {"area": lambda self: 1})):
    try:
        make()
    except TypeError as e:
        print(e)


class Square(Shape):
    def area(self):
        return 4

    name = "square"


print(Square().area(), Square.__abstractmethods__, sorted(Shape.__abstractmethods__))
print(isinstance(Square(), Shape), isinstance(3, Shape), issubclass(int, Shape))
token = abc.get_cache_token()
print(Shape.register(int) is int, abc.get_cache_token() == token + 1)
print(isinstance(3, Shape), isinstance(True, Shape), issubclass(bool, Shape), isinstance("x", Shape))


@Shape.register
class Virtual:
    pass


print(issubclass(Virtual, Shape), Shape in Virtual.__mro__)
for bad in (3, Shape.__mro__):
    try:
        Shape.register(bad)
    except TypeError as e:
        print(e)
try:
    issubclass(3, Shape)
except TypeError as e:
    print(e)


class A(metaclass=abc.ABCMeta):
    pass


class B(A):
    pass


try:
    B.register(A)
except RuntimeError as e:
    print(e)


class Hooked(abc.ABC):
    answer = NotImplemented

    @classmethod
    def __subclasshook__(cls, c):
        return cls.answer


print(issubclass(str, Hooked))
for Hooked.answer in (True, False, 5):
    Hooked._abc_caches_clear()
    try:
        print(issubclass(str, Hooked))
    except AssertionError as e:
        print("AssertionError", e)

registry, cache, negative, version = _abc._get_dump(Shape)
print(len(registry), version <= abc.get_cache_token(), {r() for r in registry} == {int, Virtual})


class MySeq:
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return [10, 20][i]


def match(x):
    match x:
        case [a, b]:
            return a + b
        case {}:
            return "mapping"
    return None


print(match(MySeq()))
Sequence.register(MySeq)
print(match(MySeq()))


class Sub(MySeq):
    pass


class M(Mapping):
    def __len__(self):
        return 0

    def __iter__(self):
        return iter(())

    def __getitem__(self, k):
        raise KeyError(k)


print(match(Sub()), match(M()))
print([isinstance(x, Hashable) for x in (1, [], "a", {})], [isinstance(x, Iterable) for x in (1, [], "a")], isinstance({}, Sized))


class Liar:
    @property
    def __class__(self):
        return int


print(isinstance(Liar(), Shape))
