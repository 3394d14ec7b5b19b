# Parameters before / are passed by position only, and their names stay free for **kwargs.
def f(a, b=2, /, c=3, **kw):
    return a, b, c, kw
print(f(1), f(1, 5, 6), f(1, c=4), f(1, a=9, b=8))
def g(a, /):
    return a
try:
    g(a=1)
except TypeError as e:
    print(e)
