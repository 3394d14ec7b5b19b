# Defaults fill the parameters that a call leaves out, from the right.
def f(a, b=2, c=3):
    return a, b, c
print(f(1), f(1, 20), f(1, 20, 30), f(1, c=9), f(c=1, a=2))
print(f.__defaults__, f.__kwdefaults__)
f.__defaults__ = (7,)
try:
    f(1)
except TypeError as e:
    print(e)
print(f(1, 2))
