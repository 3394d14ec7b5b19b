# Overloaded operators in a hot loop, with a fallback to the reflected one.
class V:
    def __init__(self, x): self.x = x
    def __add__(self, o): return V(self.x + o.x) if isinstance(o, V) else NotImplemented
    def __radd__(self, o): return V(self.x + o)
    def __mul__(self, k): return V(self.x * k % 1009)
    def __lt__(self, o): return self.x < o.x
    def __getitem__(self, i): return self.x + i
def f(n):
    v = V(1)
    for i in range(n):
        v = (i + v) * 3 + V(i)
        if v < V(500): v = v + V(v[i])
    return v.x
print(f(1000))
