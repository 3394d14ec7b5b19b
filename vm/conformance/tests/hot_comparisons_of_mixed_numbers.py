# Comparisons of int, float, bool and big int in one hot loop.
def f(n):
    vals = [0, 1.0, True, 2 ** 60, float(2 ** 60), -5, -5.0, 2 ** 60 + 1, 0.0, False]
    c = [0] * 6
    for i in range(n):
        a, b = vals[i % 10], vals[i * 3 % 10 if i % 2 else (i // 10) % 10]
        c[0] += a == b; c[1] += a < b; c[2] += a <= b; c[3] += a != b; c[4] += a > b; c[5] += a is b and a == b
    return c[:5]
print(f(1000))
