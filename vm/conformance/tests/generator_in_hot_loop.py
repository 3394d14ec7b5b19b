# A hot loop over generators that yield from several places.
def g(n):
    for i in range(n):
        if i % 3: yield i
        else: yield -i
    yield 1000
def f(n):
    t = 0
    for i in range(n):
        for v in g(i % 20):
            t += v
    return t, sum(g(300)), max(g(300))
print(f(300))
