# Dataclasses, enums and abstract classes.
# needs: lib
from dataclasses import dataclass, field, asdict
from enum import Enum, IntFlag
from abc import ABC, abstractmethod
@dataclass(order=True)
class P:
    x: int
    y: list = field(default_factory=list)
print(P(1), P(1, [2]) > P(1, [1]), asdict(P(3)))
class C(Enum):
    A = 1
    B = 2
print(C.A, C(2), C["A"].value, list(C), C.A is C.A)
class F(IntFlag):
    R = 4
    W = 2
print(int(F.R | F.W), F.R in (F.R | F.W))
class Base(ABC):
    @abstractmethod
    def f(self): ...
try:
    Base()
except TypeError as e:
    print(e)
