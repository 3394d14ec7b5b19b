# nan, infinities and negative zero pass through a hot loop unchanged.
def f(n):
    inf = float("inf")
    nan = inf - inf
    t = [0, 0, 0, 0]
    z = -0.0
    for i in range(n):
        v = nan if i % 4 == 0 else inf if i % 4 == 1 else -inf if i % 4 == 2 else z
        t[0] += v != v
        t[1] += v > 1e308
        t[2] += v < 0
        t[3] += str(v) == "-0.0"
        z = -z * 1.0 if i % 2 else z
    return t, z
print(f(400))
