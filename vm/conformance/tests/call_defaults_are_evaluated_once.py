# A default is evaluated when `def` runs, and shared by all calls.
def grow(x, seen=[]):
    seen.append(x)
    return seen
print(grow(1), grow(2), grow(3, []), grow(4))
n = 5
def g(v=n):
    return v
n = 6
print(g(), g(n))
