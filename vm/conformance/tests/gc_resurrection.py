# A finalizer may bring its object back; it is not finalized twice.
import gc
saved = []
class C:
    def __del__(self): saved.append(self)
def make():
    for i in range(20): C()
make()
gc.collect()
n = len(saved)
print(n >= 15)
saved.clear()
gc.collect()
gc.collect()
print(len(saved) <= 5)
