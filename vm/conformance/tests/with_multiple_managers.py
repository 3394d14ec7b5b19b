# Managers are entered left to right, left right to left; a failing enter exits the earlier ones.
log = []
class M:
    def __init__(self, n, bad=False): self.n, self.bad = n, bad
    def __enter__(self):
        log.append("enter " + self.n)
        if self.bad: raise RuntimeError(self.n)
        return self.n
    def __exit__(self, *a): log.append("exit " + self.n + " " + str(a[0] and a[0].__name__))
with M("a") as x, M("b") as y:
    log.append(x + y)
print(log)
log.clear()
try:
    with (M("a"), M("b", True), M("c")):
        pass
except RuntimeError as e:
    print(e, log)
for bad in (5, type("E", (), {"__enter__": lambda s: s})()):
    try:
        with bad: pass
    except TypeError as e:
        print(e)
