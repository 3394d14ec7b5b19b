# float() reads texts; methods give hex, ratio and integrality.
print(float(" 1.5 "), float("1e3"), float("-inf"), float("nan"), float("1_0.5"), float(10 ** 20), float(".5"), float("5."))
print((1.5).hex(), float.fromhex("0x1.8p+1"), (0.75).as_integer_ratio(), (2.0).is_integer(), (2.5).is_integer(), (2.5).conjugate(), hash(1.0), hash(0.5), hash(float("inf")))
for a in ("", "x", "1e", "0x1", "1__0"):
    try:
        float(a)
    except ValueError as e:
        print(e)
try:
    float(10 ** 400)
except OverflowError as e:
    print(e)
