# A hot loop over a user-defined iterator with __next__.
class Count:
    def __init__(self, n): self.i, self.n = 0, n
    def __iter__(self): return self
    def __next__(self):
        if self.i >= self.n: raise StopIteration
        self.i += 1
        return self.i
def f(n):
    t = 0
    for x in Count(n): t += x
    return t
print(f(1000), list(Count(3)))
