# A lambda takes every kind of parameter and is named <lambda>.
f = lambda a, /, b=2, *c, d, e=5, **g: (a, b, c, d, e, g)
print(f(1, d=4), f(1, 2, 3, d=4, h=6), f.__name__)
print((lambda: (yield))().__class__.__name__, (lambda *, k: k)(k=1))
