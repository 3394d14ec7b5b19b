# x += y uses __iadd__ when there is one, and binds its result.
class V:
    def __init__(self, v): self.v = v
    def __iadd__(self, o):
        self.v += o
        return self
    def __mul__(self, o): return V(self.v * o)
a = b = V(1)
a += 5
print(a is b, b.v)
a *= 3
print(a is b, a.v)
t = ([],)
try:
    t[0] += [1]
except TypeError as e:
    print(e, t)
l = [1, 2]
m = l
l += (3,)
l *= 2
print(m, m is l)
