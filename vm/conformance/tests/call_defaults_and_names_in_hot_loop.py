# Defaults and keyword arguments bound by the loop follow changes of the function.
def f(a, b=2, c=3):
    return a * 100 + b * 10 + c


def g(a, /, b, *, c=1):
    return a + b + c


class K:
    def __init__(self, x, y=5):
        self.x = x
        self.y = y

    def m(self, p, q=1, r=2):
        return self.x + p * q + r

    @classmethod
    def make(cls, x, y=1):
        return cls(x, y=y)

    @staticmethod
    def twice(x, by=2):
        return x * by


def run(n):
    t = 0
    for i in range(n):
        t += f(1) + f(1, 4) + f(1, c=9) + f(b=5, a=i) + f(c=1, b=2, a=3)
        k = K(i)
        t += k.m(2) + k.m(2, r=5) + k.m(q=3, p=1) + K(y=1, x=2).y
        t += K.make(i, y=2).y + k.make(1).x + K.twice(i) + k.twice(i, by=3)
        t += g(i, 2, c=3)
    return t


print(run(1500))
f.__defaults__ = (7, 8)
print(run(1500))
f.__defaults__ = None
for bad in (lambda: f(1), lambda: f(1, 2, 3, a=4), lambda: f(1, 2, x=4), lambda: g(a=1, b=2), lambda: K.twice()):
    try:
        bad()
    except TypeError as e:
        print(e)


def shift(n):
    t = 0
    for i in range(n):
        if i == 700:
            f.__defaults__ = (1,)
        if i == 900:
            f.__defaults__ = (1, 2)
        t += f(1, 2) if i >= 700 else f(1, 2, 3)
    return t


print(shift(1200))


def many(n):
    # Each call must leave the native stack as it was.
    t = 0
    for i in range(n):
        t += f(a=1, b=2)
    return t


print(many(300000))
