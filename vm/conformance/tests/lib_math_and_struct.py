# math and struct give exact and well-known values.
# needs: lib
import math, struct
print(math.gcd(12, 18), math.isqrt(10 ** 20), math.factorial(20), math.floor(-2.5), math.ceil(2.1), math.sqrt(2), math.fsum([0.1] * 10), math.comb(10, 3), math.inf, math.copysign(1, -0.0), math.trunc(-2.7), math.hypot(3, 4), math.prod([1, 2, 3]))
print(struct.pack(">hI", -2, 7), struct.unpack("<d", struct.pack("<d", 1.5)), struct.calcsize("bhq"))
for f in [lambda: math.sqrt(-1), lambda: math.factorial(-1), lambda: math.log(0), lambda: math.floor(float("nan"))]:
    try:
        f()
    except ValueError as e:
        print(e)
