# __dict__ is a live view; vars and dir show it.
class C:
    k = 1
    def __init__(self): self.a = 1
c = C()
c.__dict__["b"] = 2
print(c.b, vars(c), [n for n in dir(c) if not n.startswith("__")])
c.__dict__ = {"z": 26}
print(c.z, hasattr(c, "a"))
C.later = 9
print(c.later, type(C.__dict__).__name__)
try:
    C.__dict__["x"] = 1
except TypeError as e:
    print(e)
