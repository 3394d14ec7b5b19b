# reduce and cmp_to_key; the keys order as the comparison function says.
from _functools import reduce, cmp_to_key

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

print(reduce(lambda a, b: a + b, [1, 2, 3]), reduce(lambda a, b: a + b, [], 5), reduce(max, "abc", "b"), reduce(None, [4]))
for args in ((), (max,), (max, []), (max, 3), (3, [1, 2]), (max, [1], 2, 3)):
    print(attempt(reduce, *args))
def stops():
    yield 1
    raise ValueError("stop")
print(attempt(reduce, max, stops()))
def compare(a, b):
    return (a > b) - (a < b)
K = cmp_to_key(compare)
a, b = K(1), K(2)
print(a < b, a <= b, a == b, a != b, a > b, a >= b, a.obj, K(obj=7).obj)
print(sorted([3, 1, 2], key=K), sorted("hello", key=cmp_to_key(lambda x, y: compare(y, x))), sorted([5, 3, 4], key=cmp_to_key(mycmp=compare)))
print(attempt(hash, a), attempt(lambda: a < 3), attempt(lambda: K < a), attempt(cmp_to_key), attempt(cmp_to_key, 1, 2))
print(attempt(lambda: cmp_to_key(lambda x, y: None)(1) < K(2)), attempt(lambda: cmp_to_key(lambda x, y: [] < 1)(1) < K(2)))
print(type(a).__name__, type(a).__module__)
