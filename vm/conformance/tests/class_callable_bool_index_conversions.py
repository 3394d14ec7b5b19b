# __call__, __bool__, __index__, __int__, __float__ and __len__ are used by the built-ins.
class C:
    def __call__(self, *a, **k): return a, k
    def __bool__(self): return False
    def __index__(self): return 3
    def __float__(self): return 2.5
c = C()
print(c(1, k=2), bool(c), not c, [10, 20, 30, 40][c], "x" * 2, hex(c), float(c), int(c), range(c))
class I:
    def __int__(self): return 7
print(int(I()))
class Bad:
    def __bool__(self): return 1
    def __int__(self): return "x"
    def __index__(self): return 1.0
for f in [lambda: bool(Bad()), lambda: int(Bad()), lambda: [1][Bad()]]:
    try:
        f()
    except TypeError as e:
        print(e)
