# A proxy delegates everything through __getattr__, but not special methods.
class Proxy:
    def __init__(self, o): object.__setattr__(self, "_o", o)
    def __getattr__(self, n): return getattr(self._o, n)
    def __setattr__(self, n, v): setattr(self._o, n, v)
class T: pass
t = T()
p = Proxy(t)
p.x = 3
print(t.x, p.x, Proxy([1, 2]).count(1))
try:
    len(Proxy([1]))
except TypeError as e:
    print(e)
