# After `del` and a collection a weak reference is dead, also when the object went through calls.
import gc
from _weakref import ref, proxy, getweakrefcount, getweakrefs
class C:
    def __init__(self, n): self.n = n
    def get(self): return self.n
    def __len__(self): return self.n
    def __add__(self, o): return self.n + o
def use(o): return o.get() + len(o)
def f():
    o = C(3)
    r = ref(o)
    print(use(o), r() is o, ref(o) is r, getweakrefcount(o), getweakrefs(o) == [r], o.__weakref__ is r)
    p = proxy(o)
    print(p.get(), p + 1, len(p), p == o, bool(p))
    p.n = 0
    print(o.n, bool(p))
    del o
    gc.collect()
    print(r() is None)
    try:
        p.get()
    except ReferenceError as e:
        print(e)
f()
class S: __slots__ = ("a",)
class W: __slots__ = ("a", "__weakref__")
class T(tuple): pass
for v in (S(), W(), T(), set(), f, C, [], {}, 1j):
    try:
        print(ref(v)() is v)
    except TypeError as e:
        print(e)
