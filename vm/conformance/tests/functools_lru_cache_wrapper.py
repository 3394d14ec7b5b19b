# The cached function: hits, misses, eviction order, keys, methods.
from _functools import _lru_cache_wrapper

def info(*args):
    return args

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

calls = []
def f(*args, **kwargs):
    calls.append((args, kwargs))
    return len(calls)

for limit in (None, 0, 1, 2, 3, -5):
    calls.clear()
    g = _lru_cache_wrapper(f, limit, False, info)
    print(limit, [g(x) for x in (1, 2, 1, 3, 1, 2, 2, 4, 1)], g.cache_info(), [c[0][0] for c in calls])
    g.cache_clear()
    print(g.cache_info(), g(1), g(1.0), g(True), g("1"), g(1, 2), g(a=1), g(a=1, b=2), g(b=2, a=1), g((1, 2)), g.cache_info())
t = _lru_cache_wrapper(f, 10, True, info)
print([t(x) for x in (1, 1.0, True, 1)], t(x=1), t(x=1.0), t.cache_info())
print(attempt(g, []), attempt(_lru_cache_wrapper, 3, 1, False, info), attempt(_lru_cache_wrapper, f, "x", False, info))
def bad(x):
    raise ValueError(x)
b = _lru_cache_wrapper(bad, 4, False, info)
print(attempt(b, 1), attempt(b, 1), b.cache_info())
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib = _lru_cache_wrapper(fib, None, False, info)
print(fib(80), fib.cache_info())
fib.attribute = 5
print(fib.attribute, fib.__dict__)
small = _lru_cache_wrapper(lambda n: n if n < 2 else small(n - 1) + small(n - 2), 3, False, info)
print(small(20), small.cache_info())
class C:
    def __init__(self, n):
        self.n = n
    def value(self, x):
        calls.append(x)
        return self.n * x
    value = _lru_cache_wrapper(value, 5, False, info)
c = C(3); calls.clear()
print(c.value(2), c.value(2), C(4).value(2), calls, C.value.cache_info(), C.value is C.__dict__["value"])
big = _lru_cache_wrapper(lambda x: x * 2, 100, False, info)
total = 0
for i in range(3000):
    total += big(i % 150) + big(i % 7)
print(total, big.cache_info())
big.__qualname__ = "big"
print(big.__reduce__(), big.__copy__() is big, big.__deepcopy__({}) is big)
