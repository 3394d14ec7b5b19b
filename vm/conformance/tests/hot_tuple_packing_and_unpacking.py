# Tuples packed and unpacked in a hot loop, with swaps and star targets.
def pair(a, b): return a, b, a + b
def f(n):
    a, b = 0, 1
    t = 0
    for i in range(n):
        a, b = b, (a + b) % 1000003
        x, y, z = pair(i, a)
        (p, q), *r = (x, y), z, i
        t += p - q + r[0] + r[-1]
    return t, a, b
print(f(1000))
