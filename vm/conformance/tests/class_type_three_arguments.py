# type(name, bases, dict) makes a class.
C = type("C", (list,), {"n": 5, "size": lambda self: len(self)})
c = C([1, 2])
print(c, c.n, c.size(), C.__name__, C.__bases__, C.__module__)
print(type(c) is C, type.__call__(C, (9,)))
try:
    type("D", (int, str), {})
except TypeError as e:
    print(e)
try:
    class E(bool): pass
except TypeError as e:
    print(e)
