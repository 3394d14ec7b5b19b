# gcd, lcm, isqrt, comb, perm and factorial on integers of any size, with their errors.
import math


def show(f, *args):
    try:
        return f(*args)
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


class Index:
    def __init__(self, n):
        self.n = n

    def __index__(self):
        return self.n


for args in [(), (0,), (0, 0), (12, 18), (-12, 18), (12, 18, 27), (2**100, 6**60), (Index(10), 4), (1.5, 2), (True, 5)]:
    print(args if not any(isinstance(a, Index) for a in args) else "index", show(math.gcd, *args), show(math.lcm, *args))
for n in [0, 1, 2, 15, 16, 17, 10**20, 2**128 - 1, 2**128, -1, 2.0, Index(99)]:
    print(show(math.isqrt, n))
for n in range(0, 12):
    print([math.comb(n, k) for k in range(n + 2)], [math.perm(n, k) for k in range(n + 2)], math.factorial(n), math.perm(n))
print(math.comb(100, 50), math.perm(50, 20), math.factorial(60), math.comb(10**20, 3), math.perm(10**20, 3))
print(math.factorial(1000) % 10**9 == 0, len(str(math.factorial(500))))
for args in [(-1, 2), (2, -1), (10**30, 10**29), (2.0, 1), ("a", 1), (5, None)]:
    print(show(math.comb, *args), show(math.perm, *args), sep=" | ")
print(show(math.factorial, -1), show(math.factorial, 5.0), show(math.factorial, 10**30), sep=" | ")
