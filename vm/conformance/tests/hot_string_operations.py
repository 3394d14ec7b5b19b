# Indexing, slicing, comparing and hashing strings in a hot loop.
def f(n):
    words = ["alpha", "beta", "gämma", "δέλτα"]
    t = 0
    d = {}
    for i in range(n):
        w = words[i % 4]
        t += len(w) + ord(w[i % 4]) + (w > "b") + w.count("a")
        d[w[:2]] = d.get(w[:2], 0) + 1
        if w.startswith("g"): t -= w.find("m")
    return t, d
print(f(1000))
