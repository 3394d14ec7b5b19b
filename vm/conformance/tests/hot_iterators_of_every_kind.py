# Hot loops over list, tuple, str, bytes, dict, set, range, zip, enumerate, map and reversed.
def f(n):
    t = 0
    l = list(range(n))
    for x in l: t += x
    for x in tuple(l): t += x
    for c in "ab" * n: t += ord(c)
    for b in bytes(n): t += b + 1
    for k in dict.fromkeys(l): t += k
    for k, v in {i: i * 2 for i in l}.items(): t += k * v
    for x in set(l): t += x
    for a, b in zip(l, reversed(l)): t += a * b
    for i, x in enumerate(l, 1): t += i * x
    for x in map(lambda v: v + 1, l): t += x
    for x in filter(lambda v: v % 3 == 0, l): t += x
    for x in range(n, 0, -3): t += x
    return t
print(f(300))
