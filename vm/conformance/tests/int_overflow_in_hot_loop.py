# A sum in a hot loop grows from small ints through 64 bits to big ints.
def f(n):
    t = 1
    out = []
    for i in range(n):
        t = t * 3 + i
        if i % 20 == 0: out.append(t)
    return out
print(f(121))
def g(n):
    t = 2 ** 49 - 500
    for i in range(n):
        t += 1
    return t
print(g(1000), g(0))
def h(n):
    t = 2 ** 62
    for i in range(n):
        t += 2 ** 56
    return t
print(h(300))
