# Sequence patterns match lists and tuples, with one star, but no strings.
def f(x):
    match x:
        case [a]: return ("one", a)
        case [a, b]: return ("two", a, b)
        case (1, *rest, 9): return ("1..9", rest)
        case [[a, b], *_]: return ("nested", a, b)
        case [*all]: return ("all", len(all))
        case _: return "no"
for x in ([5], (1, 2), [1, 9], (1, 2, 3, 9), [[1, 2], 3, 4], [4, 5, 6], "ab", {1, 2}, range(3), b"xy"):
    print(f(x))
