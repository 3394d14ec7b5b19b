# __del__ runs once after the object is unreachable and collected.
import gc
log = []
class C:
    def __init__(self, n): self.n = n
    def __del__(self): log.append(self.n)
def make():
    for i in range(20):
        C(i)
make()
gc.collect()
gc.collect()
print(len(log) == len(set(log)), len(log) >= 15)
