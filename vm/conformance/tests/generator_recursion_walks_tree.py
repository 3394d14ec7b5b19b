# Recursive generators yield in order.
def walk(t):
    if t:
        l, v, r = t
        yield from walk(l)
        yield v
        yield from walk(r)
def build(lo, hi):
    if lo >= hi:
        return None
    m = (lo + hi) // 2
    return build(lo, m), m, build(m + 1, hi)
print(sum(walk(build(0, 200))), list(walk(build(0, 9))))
