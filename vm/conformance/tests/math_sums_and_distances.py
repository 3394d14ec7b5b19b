# fsum, hypot, dist and prod round as CPython's do; isclose has tolerances.
import math

print(math.fsum([0.1] * 10), math.fsum([1e100, 1.0, -1e100, 1e-100]), math.fsum([]), math.fsum([2.0**53, 1.0, 2.0**-100]))
for bad in ([1e308, 1e308, -1e308], [math.inf, -math.inf], [math.inf, math.nan], ["a"]):
    try:
        print(math.fsum(bad))
    except Exception as e:
        print(type(e).__name__, e)
print(math.hypot(3, 4), math.hypot(), math.hypot(-2), math.hypot(1e200, 1e200), math.hypot(5e-324, 5e-324), math.hypot(math.inf, math.nan))
print(math.hypot(*[0.1 * i for i in range(40)]), math.hypot(1, 2, 3, 4.5, 1e-9))
print(math.dist((1, 2, 3), [4, 5, 6.5]), math.dist([], []))
try:
    math.dist((1,), (1, 2))
except ValueError as e:
    print(e)
print(math.prod([2, 3, 4]), math.prod([0.5, 4]), math.prod([]), math.prod([1, 2], start="ab"), math.prod(range(1, 30)))
print(math.isclose(1, 1 + 1e-10), math.isclose(1, 1.1), math.isclose(0, 1e-12), math.isclose(0, 1e-12, abs_tol=1e-9))
print(math.isclose(math.inf, math.inf), math.isclose(math.nan, math.nan), math.isclose(1, 2, rel_tol=0.5))
try:
    math.isclose(1, 2, rel_tol=-1)
except ValueError as e:
    print(e)
try:
    math.isclose(1, 2, 3)
except TypeError as e:
    print(e)
print(math.pi, math.e, math.tau, math.inf, math.nan)


class Rounds:
    def __floor__(self):
        return "floor"

    def __ceil__(self):
        return "ceil"

    def __trunc__(self):
        return "trunc"

    def __float__(self):
        return 0.25


r = Rounds()
print(math.floor(r), math.ceil(r), math.trunc(r), math.sqrt(r))
