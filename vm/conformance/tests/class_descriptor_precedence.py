# Data descriptors beat the instance dict, which beats other descriptors.
class Data:
    def __get__(self, o, t): return ("data", o is None)
    def __set__(self, o, v): o.__dict__["log"] = v
class Non:
    def __get__(self, o, t): return ("non", o is None)
class C:
    d = Data()
    n = Non()
c = C()
print(c.d, c.n, C.d, C.n)
c.__dict__["d"] = 1
c.__dict__["n"] = 2
print(c.d, c.n)
c.d = 5
print(c.__dict__["log"], c.d)
class RO:
    def __get__(self, o, t): return 1
    def __set__(self, o, v): raise AttributeError("read only")
C.r = RO()
try:
    c.r = 1
except AttributeError as e:
    print(e)
