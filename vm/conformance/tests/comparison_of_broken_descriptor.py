# A comparison method that cannot be had counts as none; other operators report the error.
def booh(self):
    raise AttributeError("booh")

class E:
    __eq__ = property(booh)
    __lt__ = property(booh)
    __add__ = property(booh)

e = E()
print(e == e, e == E(), e != 1)
for f in (lambda: e < 1, lambda: e < e, lambda: e + 1):
    try:
        print(f())
    except Exception as x:
        print(type(x).__name__, x)

class Broken:
    __hash__ = None
    def __iter__(self):
        return self
    def __next__(self):
        return 1
    def __getattr__(self, name):
        1 / 0

def g():
    yield from Broken()

# An iterator that cannot be asked for close() does not keep a generator from closing.
import sys
sys.unraisablehook = lambda u: print("unraisable", u.exc_type.__name__, type(u.object).__name__)
it = g()
print(next(it))
it.close()
print(list(it))

# The operand of >> names print.
for f in (lambda: print >> sys.stderr, lambda: print << 1, lambda: len >> 1):
    try:
        f()
    except TypeError as x:
        print(str(x).replace(type(sys.stderr).__module__, "io"))

class C:
    __class_getitem__ = None
try:
    C[int]
except TypeError as x:
    print(x)

# The first argument is a cell, but of another function's variable.
class X:
    def meth(self):
        super()
    def inner(self):
        return super().__repr__() == (lambda: self)().__repr__()
def f():
    k = X()
    return lambda: k
try:
    X.meth(f().__closure__[0])
except TypeError as x:
    print(x)
print(X().inner())
