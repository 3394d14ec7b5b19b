# Complex functions: values to nine places, and which arguments have none.
import cmath
import math

values = [0, 1, -1, 1j, -1j, 0.5 + 0.25j, -2 + 3j, 1e300 + 1e300j, 2, -2, 710 + 1j, complex(0.0, -0.0), complex(-0.0, 0.0)]
inf, nan = math.inf, math.nan
special = [complex(x, y) for x in (inf, -inf, nan, 1.0) for y in (inf, nan, 1.0, 0.0)]


def part(x):
    if x != x or x in (inf, -inf):
        return repr(abs(x))
    return "%.9g" % (x + 0.0 if abs(x) > 1e-12 else 0.0)


def show(f, *args):
    try:
        r = f(*args)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError) as e:
        return f"{type(e).__name__}: {e}"
    if isinstance(r, complex):
        return f"({part(r.real)}, {part(r.imag)})"
    return repr(r) if isinstance(r, bool) else repr(tuple(map(part, r)) if isinstance(r, tuple) else part(r))


for name in ["acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "log", "log10", "sin", "sinh", "sqrt", "tan", "tanh",
             "phase", "polar", "isnan", "isinf", "isfinite"]:
    f = getattr(cmath, name)
    print(name, *[show(f, v) for v in values], sep=" | ")
    print("   ", *[show(f, v) for v in special], sep=" | ")
print(show(cmath.rect, 2, 1), show(cmath.rect, inf, 1), show(cmath.rect, 1, inf), show(cmath.rect, 0, inf), show(cmath.rect, 3, 0))
print(show(cmath.log, 8, 2), show(cmath.log, 1j, 10), show(cmath.log, 2, 1), show(cmath.log, 2, 0))
print(cmath.isclose(1 + 1j, 1 + 1.0000000001j), cmath.isclose(1, 2), cmath.isclose(1, 1.5, rel_tol=0.5), show(cmath.isclose, 1, 2), cmath.isclose(inf, inf))
print(show(cmath.sqrt, "x"), show(cmath.sqrt), cmath.infj, cmath.nanj, cmath.pi == math.pi)


class Complex:
    def __complex__(self):
        return 3 + 4j


class Float:
    def __float__(self):
        return 4.0


print(show(cmath.polar, Complex()), show(cmath.sqrt, Float()))
