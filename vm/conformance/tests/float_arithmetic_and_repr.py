# Floats print their shortest exact text and follow IEEE 754.
print(0.1 + 0.2, 1e16, 1e15, 123456789.123, 1e-5, 0.0001, 1.0, -0.0, 1e300 * 1e10, 5e-324, 2.0 ** 0.5, 1 / 3, 100.0, 1e22, 1.5e-7)
inf = float("inf"); nan = float("nan")
print(inf, -inf, nan, inf - inf, nan == nan, nan != nan, inf > 1e308, min(1, nan), -0.0 == 0.0, 0.0 * -1)
print(7.5 // 2, -7.5 // 2, 7.5 % 2, -7.5 % 2, 7.5 % -2, divmod(-7.5, 2), 5.0 % inf, -5.0 % inf, 2.0 ** -1)
for text in ("1.0 / 0", "1.0 // 0", "1.0 % 0", "0.0 ** -1", "1e308 ** 2", "int(1e400)", "(-1.0) ** 0.5 == 1j"):
    try:
        print(eval(text))
    except ArithmeticError as e:
        print(type(e).__name__, e)
