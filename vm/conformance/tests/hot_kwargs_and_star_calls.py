# Calls with keywords, defaults and stars in a hot loop.
def f(a, b=2, *c, d=4, **e): return a + b + sum(c) + d + sum(e.values())
def loop(n):
    t = 0
    args, kw = (1, 2, 3), {"d": 5, "z": 6}
    for i in range(n):
        t += f(i) + f(i, d=i) + f(*args, **kw) + f(a=i, b=i) + f(i, i, i, q=i)
    return t
print(loop(500))
