# A function in a class binds on access; each access makes an equal bound method.
class C:
    def m(self, x):
        return x, self.n
    def __init__(self, n):
        self.n = n
c = C(5)
m = c.m
print(m(1), C.m(c, 2), m == c.m, m is c.m, m.__self__ is c, m.__func__ is C.m)
c.m = lambda x: ("own", x)
print(c.m(3), m(4))
