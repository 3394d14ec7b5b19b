# round goes to even; with digits it is exact.
print(round(0.5), round(1.5), round(2.5), round(-0.5), round(2.675, 2), round(1234.5678, -2), round(5, -1), round(15, -1), round(25, -1), round(1e300), round(2.5, 0), round(-2.567, 1))
print(type(round(2.0)), type(round(2.0, 0)), type(round(5, 2)))
for v in (float("inf"), float("nan"), "x"):
    try:
        round(v)
    except (OverflowError, ValueError, TypeError) as e:
        print(type(e).__name__, e)
