# to_bytes, from_bytes, bit_length, bit_count, as_integer_ratio, conjugate.
print((1000).to_bytes(2, "big"), (-2).to_bytes(2, "little", signed=True), int.from_bytes(b"\xff\x00", "big"), int.from_bytes(b"\xff\xfe", "big", signed=True))
print((255).bit_length(), (255).bit_count(), (-8).bit_length(), (0).bit_length(), (7).as_integer_ratio(), (5).numerator, (5).imag, (5).conjugate())
print(int.__add__(1, 2), (3).__sub__(5), (1).__add__("x"), (7).__floordiv__(2), (2).__pow__(5, 7))
for f in [lambda: (256).to_bytes(1, "big"), lambda: (-1).to_bytes(1, "big"), lambda: (1).to_bytes(1, "middle")]:
    try:
        f()
    except (OverflowError, ValueError) as e:
        print(type(e).__name__, e)
