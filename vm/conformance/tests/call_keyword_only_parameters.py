# Parameters after * are passed by name only.
def f(a, *, b, c=3):
    return a, b, c
print(f(1, b=2), f(a=1, b=5, c=6))
for args, kw in [((1,), {}), ((1, 2), {"b": 1}), ((1,), {"b": 1, "d": 2}), ((), {"b": 1})]:
    try:
        f(*args, **kw)
    except TypeError as e:
        print(e)
