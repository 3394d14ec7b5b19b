# Weak dictionaries lose entries of dead objects.
# needs: lib
import weakref, gc
class C: pass
d = weakref.WeakValueDictionary()
k = weakref.WeakKeyDictionary()
alive = C()
def fill():
    for i in range(50):
        c = C()
        d[i] = c
        k[c] = i
fill()
d["alive"] = alive
k[alive] = "kept"
gc.collect()
print(len(d) <= 6, len(k) <= 6, d["alive"] is alive, k[alive])
