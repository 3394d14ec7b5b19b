# super() follows the MRO of the instance, not the parent of the class.
class Base:
    def go(self): return ["Base"]
class L(Base):
    def go(self): return ["L"] + super().go()
class R(Base):
    def go(self): return ["R"] + super().go()
class D(L, R):
    def go(self): return ["D"] + super().go()
print(D().go(), L().go())
print(super(L, D()).go(), super(L, D).go.__name__)
class S(Base):
    @classmethod
    def make(cls): return super().__thisclass__.__name__, cls.__name__
    @staticmethod
    def st(): return "st"
print(S.make(), S.st())
def stray(self):
    super().go()
try:
    stray(1)
except RuntimeError as e:
    print(e)
try:
    super(L, Base()).go()
except TypeError as e:
    print(e)
