# Wrong calls say what is missing, surplus or unknown.
def f(a, b, c=1): pass
def g(): pass
def h(*, x, y): pass
def two(a, b=1): pass
for call in [lambda: f(), lambda: f(1), lambda: f(1, 2, 3, 4), lambda: g(1), lambda: h(),
             lambda: h(x=1), lambda: f(1, 2, a=3), lambda: f(1, 2, zz=3), lambda: two(1, 2, 3),
             lambda: (3)(), lambda: f(*5), lambda: f(**5), lambda: f(**{1: 2})]:
    try:
        call()
    except TypeError as e:
        print(e)
