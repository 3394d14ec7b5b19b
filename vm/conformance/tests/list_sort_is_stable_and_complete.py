# sort is stable, takes key and reverse, and refuses mixed types.
l = [("b", 2), ("a", 2), ("c", 1), ("a", 1)]
print(sorted(l, key=lambda t: t[1]), sorted(l, key=lambda t: t[1], reverse=True), sorted(l), sorted("hello"), sorted({3, 1, 2}), sorted([2.5, 1, True]))
m = [5, 3, 8]
print(m.sort(), m, m.sort(key=lambda x: -x), m)
try:
    [1, "a"].sort()
except TypeError as e:
    print(e)
def bad(x):
    m.append(1)
    return x
try:
    m.sort(key=bad)
except ValueError as e:
    print(e)
