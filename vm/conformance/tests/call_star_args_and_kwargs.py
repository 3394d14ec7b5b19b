# *args takes what positions remain, **kwargs what names remain.
def f(a, *args, k=0, **kw):
    return a, args, k, kw
print(f(1), f(1, 2, 3), f(1, 2, k=4, z=5))
print(f(*[1, 2], *(3,), **{"x": 1}, **{"y": 2}))
print(f(*"ab", 7, k=1, *range(2)))
try:
    f(**{"x": 1}, **{"x": 2})
except TypeError as e:
    print(str(e).replace("__main__.", ""))
