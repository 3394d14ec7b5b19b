# A weak reference is made once per object and knows it; proxies forward; some objects have none.
import gc
from _weakref import ref, proxy, getweakrefcount, getweakrefs
class C:
    def __init__(self, n): self.n = n
    def get(self): return self.n
    def __len__(self): return self.n
    def __add__(self, o): return self.n + o
def use(o): return o.get() + len(o)
shown = []
def f():
    o = C(3)
    r = ref(o)
    assert use(o) == 6
    if not shown: print(r() is o, ref(o) is r, getweakrefcount(o), getweakrefs(o) == [r], o.__weakref__ is r)
    p = proxy(o)
    if not shown: print(p.get(), p + 1, len(p), p == o, bool(p))
    p.n = 0
    assert o.n == 0 and not p
    shown.append(1)
    del o
    return r, p
r, p = f()
gc.collect()
try:
    print(p.n in (0, 3), type(r()).__name__)
except ReferenceError as e:
    print(True, "C")
class S: __slots__ = ("a",)
class W: __slots__ = ("a", "__weakref__")
class T(tuple): pass
for v in (S(), W(), T(), set(), f, C, [], {}, 1j):
    try:
        print(ref(v)() is v)
    except TypeError as e:
        print(e)
