# with and finally in a hot loop run their exits exactly.
class M:
    def __init__(self): self.n = 0
    def __enter__(self): self.n += 1; return self
    def __exit__(self, t, v, tb):
        self.n += 1000
        return t is KeyError
def f(n):
    m = M()
    fin = 0
    for i in range(n):
        try:
            with m as x:
                if i % 3 == 0: raise KeyError
                if i % 7 == 0: continue
                fin += x.n & 1
        finally:
            fin += 1
    return m.n, fin
print(f(700))
