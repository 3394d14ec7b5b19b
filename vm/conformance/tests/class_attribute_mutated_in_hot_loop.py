# A class attribute and a method replaced mid-loop take effect on the next iteration.
class C:
    k = 1
    def m(self): return self.k
def f(n):
    c = C()
    t = 0
    for i in range(n):
        t += c.m()
        if i == n // 4: C.k = 10
        if i == n // 2: C.m = lambda self: 1000
        if i == 3 * n // 4: c.m = lambda: 100000
    return t
print(f(400))
