# range is a lazy sequence with arithmetic membership, slices and equality.
r = range(10, 0, -3)
print(list(r), len(r), r[1], r[-1], r[1:], 7 in r, 8 in r, r.index(4), r.count(1), r == range(10, 0, -3), range(0) == range(5, 5), hash(range(0)) == hash(range(1, 1)), list(reversed(r)), r.start, r.stop, r.step, repr(r), range(2 ** 70, 2 ** 70 + 3)[2], len(range(-5, 5, 2)), 3.0 in range(5), "a" in range(3))
for f in [lambda: range(1, 2, 0), lambda: range(1.5), lambda: r[9], lambda: r.index(5), lambda: range(), lambda: len(range(2 ** 100))]:
    try:
        f()
    except (ValueError, TypeError, IndexError, OverflowError) as e:
        print(type(e).__name__, e)
