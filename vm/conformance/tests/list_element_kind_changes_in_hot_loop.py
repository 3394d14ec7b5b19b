# A list that holds ints takes floats, then texts, while a hot loop runs over it.
def f(n):
    l = [0] * 10
    out = []
    for i in range(n):
        k = i % 10
        if i == n // 3: l[k] = 0.5
        if i == 2 * n // 3:
            l[k] = "s"
        v = l[k]
        l[k] = v + 1 if not isinstance(v, str) else v
    return l
print(f(300))
