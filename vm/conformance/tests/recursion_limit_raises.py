# Infinite recursion of every common kind raises RecursionError, and the program goes on.
def f(): return f()
def g(n): return g(n + 1) + 1
class C:
    def __getattr__(self, n): return getattr(self, n + "x")
    def __repr__(self): return repr(self)
    def __eq__(self, o): return self == o
    def __add__(self, o): return self + o
    def __iter__(self): return iter(self)
    def __call__(self): return self()
def gen():
    yield from gen()
for k, t in enumerate([f, lambda: g(0), lambda: C().a, lambda: repr(C()), lambda: C() == 1, lambda: C() + 1, lambda: list(C()), lambda: C()(), lambda: list(gen()), lambda: sorted([1, 2], key=lambda x: f()), lambda: [x for x in map(lambda _: f(), [1])]]):
    try:
        t()
        print("no error")
    except RecursionError:
        print(k, "RecursionError")
print("alive")
