# Python methods of operators: NotImplemented, reflected methods of subclasses, in-place fallback.
class A:
    def __init__(self, v):
        self.v = v

    def __add__(self, other):
        if isinstance(other, A):
            return A(self.v + other.v)
        if isinstance(other, int):
            return A(self.v + other)
        return NotImplemented

    def __mul__(self, other):
        return NotImplemented

    def __lt__(self, other):
        if isinstance(other, A):
            return self.v < other.v
        return NotImplemented

    def __eq__(self, other):
        if isinstance(other, A):
            return self.v == other.v
        return NotImplemented


class R:
    def __radd__(self, other):
        return ("R", type(other).__name__)

    def __rmul__(self, other):
        return 7

    def __gt__(self, other):
        return ["true"]


class B(A):
    def __radd__(self, other):
        return A(1000 + self.v)


class I(A):
    def __iadd__(self, other):
        if other == 3:
            return NotImplemented
        self.v -= other
        return self


def run(n):
    t = A(0)
    one = A(1)
    for i in range(n):
        t = t + one
        t = t + i
    return t.v


print(run(2000))


def mixed(n):
    out = 0
    a, r, b = A(1), R(), B(2)
    for i in range(n):
        out += a * r
        out += (a + b).v
        if a < r:
            out += 1
        if a == i:
            out += 100000
        if a != b:
            out += 2
        x = a + r
    return out, x


print(mixed(2000))


def inplace(n):
    i = I(0)
    for k in range(n):
        i += k % 5
    return type(i).__name__, i.v


print(inplace(2000))
for left, right in ((A(1), "x"), ("x", A(1)), (A(1), None)):
    try:
        left + right
    except TypeError as e:
        print(e)
try:
    A(1) < 3
except TypeError as e:
    print(e)


class N:
    def __lt__(self, other):
        return self.answer

    def __getitem__(self, i):
        if i > 1200:
            raise IndexError(i)
        return i * 2

    def __setitem__(self, i, v):
        self.answer = (i, v)


class Loud:
    def __bool__(self):
        raise OverflowError("bool")


def items(n):
    o = N()
    t = 0
    for i in range(n):
        o[i] = t
        t += o[i]
        if o < 3:
            t += 1
    return t, o.answer


print(items(1100))
try:
    items(1300)
except IndexError as e:
    print("index", e)
o = N()
o.answer = Loud()
for k in range(3):
    try:
        if o < 1:
            pass
    except OverflowError as e:
        print(e)
o.answer = []
print([o < 1 for _ in range(2)], 1 if o < 1 else 2)
