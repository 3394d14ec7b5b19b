# Property, slot and descriptor access in a hot loop.
class D:
    def __get__(self, o, t): return o._v * 3
    def __set__(self, o, v): o._v = v
class C:
    __slots__ = ("_v", "n")
    d = D()
    def __init__(self): self._v, self.n = 1, 0
    @property
    def p(self): return self._v + 1
    @p.setter
    def p(self, v): self.n += v
def f(n):
    c = C()
    t = 0
    for i in range(n):
        t += c.p + c.d
        c.p = 2
        c.d = i % 10
    return t, c.n
print(f(1000))
