# A built-in function of a module that is a class attribute gets no self; a method of a built-in class does.
import time
class A:
    f = len
    g = str.upper
    t = time.time
    s = staticmethod(len)
    c = classmethod(isinstance)
a = A()
for i in range(200):
    x = a.f([1, 2])
    y = a.s('abc')
print(x, y, getattr(a, 'f')(()), A.f('a'), a.t() > 0, a.f is len)
print(A.c(type), a.c(int))
class B(str):
    g = str.upper
b = B('b')
for i in range(200):
    z = b.g()
print(z, getattr(b, 'g')())
class C(A):
    def f(self):
        return super().f([1])
print(C().f())
class D:
    __len__ = len
    __repr__ = repr
try:
    len(D())
except TypeError as e:
    print(e)
