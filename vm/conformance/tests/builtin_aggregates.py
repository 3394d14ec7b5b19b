# sum, min, max, any, all, sorted, with keys, defaults and errors.
print(sum([1, 2]), sum([0.1] * 3), sum([[1], [2]], []), sum([], 5), min(3, 1), max("abc"), min([], default="d"), max([1, -5], key=abs), min((2, "b"), (1, "a")), any([0, ""]), any([]), all([]), all([1, 0]), max(1, 2, key=lambda x: -x))
for f in [lambda: sum(["a"]), lambda: sum(["a"], ""), lambda: min([]), lambda: max(1), lambda: max(1, "a"), lambda: sum(5), lambda: min(1, 2, default=3), lambda: abs("x")]:
    try:
        f()
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
