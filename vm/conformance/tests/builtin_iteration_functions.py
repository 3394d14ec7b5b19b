# zip, map, filter, enumerate, reversed, iter with sentinel, next with default.
print(list(zip("abc", [1, 2])), list(map(lambda a, b: a + b, [1, 2], [3, 4, 5])), list(filter(None, [0, 1, "", "x"])), list(filter(lambda x: x > 1, [1, 2, 3])), list(enumerate("ab", 5)), list(reversed([1, 2, 3])), next(iter([]), "d"))
it = iter([1, 2, 3, 0, 4])
print(list(iter(lambda: next(it), 0)), list(it))
for f in [lambda: list(zip([1], [1, 2], strict=True)), lambda: list(zip([1, 2], [1], strict=True)), lambda: next(5), lambda: next(iter([])), lambda: zip(5), lambda: map(len), lambda: reversed({1}), lambda: enumerate()]:
    try:
        f()
    except (ValueError, TypeError, StopIteration) as e:
        print(type(e).__name__, e)
