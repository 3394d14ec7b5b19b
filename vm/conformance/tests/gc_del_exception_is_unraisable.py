# An exception in __del__ is reported on stderr and does not propagate.
import gc, sys
seen = []
sys.unraisablehook = lambda u: seen.append(type(u.exc_value).__name__)
class C:
    def __del__(self): raise ValueError("in del")
def make():
    for i in range(20): C()
make()
gc.collect()
print(len(seen) >= 15, set(seen))
