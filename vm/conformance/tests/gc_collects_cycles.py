# Cycles with finalizers are collected, each finalizer once; collect returns a count.
import gc
log = []
class N:
    def __init__(self, i): self.i = i
    def __del__(self): log.append(self.i)
def make():
    for i in range(50):
        a, b = N(i), N(i + 1000)
        a.o, b.o = b, a
make()
n = gc.collect()
gc.collect()
print(type(n) is int, len(log) >= 90, len(set(log)) == len(log), gc.isenabled())
gc.disable()
print(gc.isenabled())
gc.enable()
print(gc.get_threshold().__class__.__name__)
