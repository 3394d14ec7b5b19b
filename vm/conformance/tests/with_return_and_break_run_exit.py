# Leaving a with block by return, break or continue runs __exit__ with None.
log = []
class M:
    def __enter__(self): return self
    def __exit__(self, t, v, tb): log.append(t)
def f():
    for i in range(5):
        with M():
            if i == 0: continue
            if i == 2: break
    with M() as m:
        return "r"
print(f(), log)
