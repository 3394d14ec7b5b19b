# Comparing int and float is exact, also beyond 2**53.
print(2 ** 53 + 1 == float(2 ** 53), 2 ** 53 + 1 > float(2 ** 53), 10 ** 400 > 1e308, -10 ** 400 < float("-inf"), 2 ** 1024 > 1e308, 1 == 1.0, hash(2 ** 60) == hash(float(2 ** 60)))
print(sorted([3, 2.5, 2 ** 70, 1e10, -1.0]), 5 in [5.0], {1: "a"}[1.0], max(1, 1.0), max(1.0, 1))
