# Assigning __bases__ mid-loop changes which method is found.
class A:
    def m(self): return 1
class B:
    def m(self): return 100
class Mid(A): pass
class C(Mid): pass
def f(n):
    c = C()
    t = 0
    for i in range(n):
        t += c.m()
        if i == n // 2: Mid.__bases__ = (B,)
    return t
print(f(300), [k.__name__ for k in C.__mro__])
