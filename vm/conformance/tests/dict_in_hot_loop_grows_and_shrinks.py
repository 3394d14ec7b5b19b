# Counting in a dict in a hot loop, with keys that change type.
def f(n):
    d = {}
    for i in range(n):
        k = i % 7 if i < n // 2 else str(i % 5)
        d[k] = d.get(k, 0) + i
        if i % 50 == 49: d.pop(next(iter(d)))
    return sorted(d.items(), key=str)
print(f(700))
