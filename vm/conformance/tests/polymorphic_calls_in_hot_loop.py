# A call site sees ten classes in turn.
classes = []
for k in range(10):
    def make(k):
        class C:
            def __init__(self, v): self.v = v
            def f(self): return self.v * k
        return C
    classes.append(make(k))
def loop(n):
    objs = [c(i) for i, c in enumerate(classes)]
    t = 0
    for i in range(n):
        t += objs[i % 10].f() + objs[i * 7 % 10].v
    return t
print(loop(2000))
