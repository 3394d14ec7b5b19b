# Tuples are immutable sequences with count and index.
t = (1, 2, 1)
print(t.count(1), t.index(2), t + (3,), t * 2, t[1:], (), (5,), hash((1, 2)) == hash((1, 2)), (1, 2) < (1, 2, 0), tuple("ab"), t == [1, 2, 1], 2 in t)
for f in [lambda: t.__setitem__, lambda: t.index(9), lambda: t[9], lambda: hash(([],)), lambda: t + [1], lambda: exec("t[0] = 1"), lambda: exec("del t[0]")]:
    try:
        f()
    except (AttributeError, ValueError, IndexError, TypeError) as e:
        print(type(e).__name__, e)
