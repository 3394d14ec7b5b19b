# Assigning __code__ changes what a function does, also for callers that are hot.
def f(x): return x + 1
def g(x): return x * 100
def loop(n):
    t = 0
    for i in range(n):
        if i == n // 2:
            f.__code__ = g.__code__
        t += f(i)
    return t
print(loop(300))
