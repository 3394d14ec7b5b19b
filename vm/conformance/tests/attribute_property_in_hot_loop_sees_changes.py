# A property's getter and setter run by the loop follow changes of class and code.
class P:
    def __init__(self):
        self.v = 1

    @property
    def x(self):
        return self.v

    @x.setter
    def x(self, value):
        self.v = value + 1


def work(o, n):
    total = 0
    for i in range(n):
        o.x = i
        total += o.x
    return total


o = P()
print(work(o, 3000))
P.x = property(lambda self: self.v * 2, lambda self, value: setattr(self, "v", value))
print(work(o, 3000))
P.x = property(lambda self: 5)
try:
    work(o, 10)
except AttributeError as e:
    print(e)


def getter(self):
    return self.v


class Q(P):
    x = property(getter)


q = Q()


def read(o, n):
    total = 0
    for i in range(n):
        if i == 2500:
            getter.__code__ = (lambda self: self.v + 10).__code__
        total += o.x
    return total


print(read(q, 3000))
del P.x, Q.x
q.x = 3
print(read(q, 100))


class Raises:
    @property
    def x(self):
        if self.n > 1500:
            raise ValueError(self.n)
        self.n += 1
        return self.n

    n = 0


r = Raises()
try:
    while True:
        r.x
except ValueError as e:
    t = e.__traceback__
    print(e, t.tb_next.tb_frame.f_code.co_name)


class Falls:
    @property
    def x(self):
        if self.n % 3 == 0:
            raise AttributeError("hidden")
        return self.n

    def __getattr__(self, name):
        return -1 if name == "x" else 5


def falls(n):
    o = Falls()
    t = 0
    for i in range(n):
        o.n = i
        t += o.x + o.other
    return t


print(falls(1500))
