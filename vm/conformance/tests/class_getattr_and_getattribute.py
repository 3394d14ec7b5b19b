# __getattr__ is asked only after lookup failed; __getattribute__ always.
class C:
    def __init__(self): self.real = 1
    def __getattr__(self, n):
        if n == "no": raise AttributeError("really " + n)
        return "made " + n
c = C()
print(c.real, c.fake, getattr(c, "no", "default"))
try:
    c.no
except AttributeError as e:
    print(e)
class D:
    def __getattribute__(self, n): return "all " + n
d = D()
d.x = 1
print(d.x, d.anything, type(d).__name__)
class S:
    def __setattr__(self, n, v): object.__setattr__(self, n, v * 2)
    def __delattr__(self, n): print("del", n)
s = S()
s.a = 4
del s.a
print(s.a)
