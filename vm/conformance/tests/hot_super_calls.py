# super() in a hot loop over a diamond.
class A:
    def f(self, x): return x
class B(A):
    def f(self, x): return super().f(x) + 1
class C(A):
    def f(self, x): return super().f(x) * 2
class D(B, C):
    def f(self, x): return super().f(x + 1)
def loop(n):
    d = D()
    t = 0
    for i in range(n): t += d.f(i)
    return t
print(loop(600))
