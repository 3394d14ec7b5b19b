# Arithmetic crosses every machine-word boundary without loss.
for k in (29, 30, 31, 32, 48, 49, 50, 51, 62, 63, 64, 65):
    x = 2 ** k
    print(k, x - 1 + 1 == x, (x - 1) * (x + 1) == x * x - 1, -x - 1 + x, x * -x, (x - 1) ^ x, -(-x), abs(-x) - x, x // -1 + x)
