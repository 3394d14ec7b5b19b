# List, set, dict and nested comprehensions with conditions.
print([x * y for x in range(4) if x for y in range(3) if y != x])
print({x % 3 for x in range(10)} == {0, 1, 2}, {k: v for k, v in zip("abc", range(3)) if v})
print([[j for j in range(i)] for i in range(4)])
print([(i, j) for i in range(3) for j in [i * i]], sum(x for x in range(5)))
print([a if a > 1 else -a for a in range(4)], [*(y for y in "ab"), *[1]])
