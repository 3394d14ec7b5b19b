# Assigning __class__ changes behaviour, also in a hot loop.
class A:
    def f(self): return 1
class B:
    def f(self): return 100
def loop(n):
    o = A()
    t = 0
    for i in range(n):
        t += o.f()
        if i == n // 2:
            o.__class__ = B
    return t
print(loop(200))
try:
    A().__class__ = int
except TypeError as e:
    print(e)
