# `__new__` and static methods of built-in classes, method wrappers, cells, modules, proxies.
import pickle
import types

print(type(int.__new__).__name__, int.__new__.__self__ is int, int.__new__.__qualname__, str.maketrans.__self__ is str)
print(pickle.loads(pickle.dumps(str.maketrans))({"a": "b"}), "abc".__new__(str, 5))


class C(int):
    def __reduce_ex__(self, p):
        return super().__reduce_ex__(p)


print(pickle.loads(pickle.dumps(C(5), 0)), type((42).__lt__).__name__, repr((4).__lt__)[:30])


def cell(v=None, empty=False):
    def f():
        return v
    if empty:
        del v
    return f.__closure__[0]


print(cell(1) < cell(2), cell(empty=True) < cell(0), cell("x") == cell("x"), cell(empty=True) == cell(empty=True))
try:
    hash(cell(1))
except TypeError as e:
    print(e)

m = types.ModuleType("m")
print("__annotations__" in vars(m), m.__annotations__, "__annotations__" in vars(m))
del m.__annotations__
try:
    del m.__annotations__
except AttributeError as e:
    print(e)


class Loader:
    @classmethod
    def module_repr(cls, m):
        return "<crafted>"


m.__loader__ = Loader
print(m)
m.__loader__ = None
m.__file__ = "/m.py"
print(m)

p = types.MappingProxyType({"a": 1, "b": 2})
print(list(reversed(p)), p | {"c": 3}, {"a": 0} | p)
try:
    p |= {}
except TypeError as e:
    print(e)


class D:
    def __init__(self):
        self.x = 1


d = D()
del d.__dict__
print(d.__dict__, hasattr(d, "x"))


class A:
    __slots__ = ["a"]


class W(A):
    __slots__ = ["__weakref__"]


try:
    A().__class__ = W
except TypeError as e:
    print(e)


def g():
    pass


print(g.__builtins__["len"] is len, types.FunctionType(g.__code__, {"__builtins__": {"q": 1}}).__builtins__)
