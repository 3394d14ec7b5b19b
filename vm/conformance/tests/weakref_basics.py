# A weak reference dies with its object, calls back, and gives None.
# needs: lib
import weakref, gc
class C:
    def __init__(self, n): self.n = n
refs = []
def make():
    for i in range(50):
        c = C(i)
        refs.append(weakref.ref(c))
make()
gc.collect()
print(sum(r() is None for r in refs) >= 45)
c = C(1)
r = weakref.ref(c)
print(r() is c, r is weakref.ref(c), weakref.getweakrefcount(c), r() is not None)
try:
    weakref.ref(5)
except TypeError as e:
    print(e)
