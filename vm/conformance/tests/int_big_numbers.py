# Ints have no limit: sums, products, powers, shifts and text.
a = 2 ** 100
print(a, a + 1, -a, a * a, a // 3, a % 1000007, a >> 90, 1 << 130, (a * a) == 2 ** 200, a.bit_length())
print(3 ** 200 % 10 ** 20, pow(3, 200, 10 ** 9 + 7), pow(3, -1, 7), hash(2 ** 61 - 1), hash(2 ** 61), hash(-1), hash(10 ** 30))
f = 1
for i in range(1, 41): f *= i
print(f, len(str(f)), f & 0xFFFFFFFF, f | 1, f ^ f, ~f)
print(-7 >> 1, -7 >> 100, -1 << 70, -2 ** 70 & 2 ** 71 - 1, (-2 ** 70) | 5)
for text in ("1 << -1", "1 >> -1", "pow(2, 3, 0)", "pow(2, -1, 4)"):
    try:
        eval(text)
    except ValueError as e:
        print(e)
