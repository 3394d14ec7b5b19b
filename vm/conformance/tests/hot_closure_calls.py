# Closures with cells written in a hot loop.
def f(n):
    t = 0
    def add(x):
        nonlocal t
        t += x
    def get(): return t
    for i in range(n):
        add(i)
        if i % 100 == 0: add(-get())
    return t
print(f(1000))
