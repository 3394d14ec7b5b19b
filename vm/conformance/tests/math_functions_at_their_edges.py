# Every function of doubles gives CPython's result or error, ordinary or not.
import math

inf, nan = math.inf, math.nan
values = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 1e-300, 1e300, 171.0, 172.5, -3.5, 1e-21, 710.0,
          inf, -inf, nan, 7, -2, 2**70, True]
one = ["acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "ceil", "cos", "cosh", "degrees", "erf",
       "erfc", "exp", "exp2", "expm1", "fabs", "floor", "frexp", "gamma", "isfinite", "isinf", "isnan",
       "lgamma", "log", "log10", "log1p", "log2", "modf", "radians", "sin", "sinh", "sqrt", "tan", "tanh",
       "trunc", "ulp"]


def show(f, *args):
    try:
        r = f(*args)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError) as e:
        r = f"{type(e).__name__}: {e}"
    return r


for name in one:
    f = getattr(math, name)
    if name == "cbrt":
        # C libraries differ in the last bit.
        f = lambda *a: math.floor(math.cbrt(*a) * 1e6 + 0.5) if math.isfinite(a[0]) else math.cbrt(*a)
    print(name, *[show(f, v) for v in values], sep=" | ")
    f = getattr(math, name)
    print(show(f), show(f, "x"), show(f, None), show(f, 2**2000), sep=" | ")
for name in ["atan2", "copysign", "fmod", "pow", "remainder", "nextafter", "log", "ldexp"]:
    f = getattr(math, name)
    for x in values[:8] + values[13:]:
        print(name, x, *[show(f, x, y) for y in [0, 1, -1, 2, 0.5, -3.0, inf, -inf, nan]], sep=" | ")
print(math.log(2**5000), math.log2(2**5000 + 1), math.log10(10**400), show(math.log, 0), show(math.log, 10, 1))
print(show(math.ldexp, 1.0, 10**30), show(math.ldexp, 1.0, -10**30), show(math.ldexp, 1.0, 2.0))
