# Corners of constructors and operators of built-in classes.
import copy
import pickle
import types
import warnings
from collections import OrderedDict


def attempt(f, *a, **k):
    try:
        print(f(*a, **k))
    except Exception as e:
        print(type(e).__name__, e)


attempt(bytes, "x", errors="ignore")
attempt(bytes, b"", errors="ignore")
attempt(bytes, encoding="ascii")
attempt(b"ab".hex, None, 0)
attempt(b"ab".hex, "::")
attempt(b"ab".hex, [1])
attempt(lambda: b"a" < memoryview(b"b"))
attempt(lambda: bytearray(b"a") < memoryview(b"b"))
attempt(lambda: b"a" == memoryview(b"a"))


class B(bytes):
    pass


class HasBytes:
    def __bytes__(self):
        return B(b"abc")


print(type(bytes(HasBytes())).__name__, type(B(HasBytes())).__name__)
attempt(bytearray, HasBytes())
print(b"%d".__rmod__("x"), b"5".__rmod__(b"%s"))
ba = bytearray(range(6))
ba[::2] = b""
print(ba, pickle.loads(pickle.dumps(ba, 2)), copy.deepcopy(ba), ba.__reduce_ex__(3))
view = memoryview(ba)
attempt(ba.__setitem__, slice(None, None, 2), b"")
print(ba)

attempt(pow, 0.0, -1.0)
print(pow(-0.0, float("-inf")), pow(0.0, float("-inf")))
attempt(float.fromhex, " 0x1p\uff10 ")
print(float.fromhex(" \t0x1.8p1\n"))
attempt(float, x=1)


class F(float):
    def __init__(self, v, more=None):
        self.more = more


print(F(2.5, more=3).more)


class Text(str):
    def __float__(self):
        return 9.0


print(float(Text("8")))
attempt(int, memoryview(b"12"), 10)
attempt(float.__getformat__, 1)

with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter("always")
    print(bool(NotImplemented), not NotImplemented, [str(x.message) for x in w][:1])

od = OrderedDict([("a", 1), ("b", 2)])
od.move_to_end("a")
print(list(vars(type("C", (), od)).items())[:2])
attempt(type, "A\udcdc", (), {})
attempt(type, "A", (), {"__doc__": "x\udcdc"})


class Own:
    __dict__ = property(lambda self: {"own": 1})


print(vars(Own()))
ns = types.SimpleNamespace(a=1)
print(pickle.loads(pickle.dumps(ns)), copy.copy(ns))


class S(set):
    def __new__(cls, arg, more=None):
        return super().__new__(cls)


attempt(S, [1], more=2)


class Counting(int):
    hashes = 0

    def __hash__(self):
        Counting.hashes += 1
        return int(self)


d = dict.fromkeys(map(Counting, range(5)))
set(d), set(d).difference(d), dict.fromkeys(frozenset(d)), frozenset(d) - set(d)
print(Counting.hashes)


class BadLen:
    def __iter__(self):
        return iter(())

    def __len__(self):
        raise RuntimeError("no length")


attempt(list, BadLen())
attempt(bytearray().extend, BadLen())
print(isinstance(len, types.BuiltinMethodType), isinstance([].append, types.BuiltinFunctionType), type([].append) is type(len))
print(int.__doc__ is None, type(None).__doc__, (5).bit_length.__doc__ is None, ValueError.__init__.__name__)
