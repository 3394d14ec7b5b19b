# Callbacks run once per dead object; a proxy forwards.
# needs: lib
import weakref, gc
class C:
    def __init__(self, n): self.n = n
    def get(self): return self.n
log = []
keep = []
def make():
    for i in range(50):
        c = C(i)
        keep.append(weakref.ref(c, lambda r: log.append(r() is None)))
make()
gc.collect()
gc.collect()
print(len(log) >= 45, all(log))
c = C(7)
p = weakref.proxy(c)
print(p.n, p.get())
