# Union, intersection, difference, updates, subset tests and errors.
a, b = {1, 2, 3}, {2, 3, 4}
print(a | b == {1, 2, 3, 4}, a & b == {2, 3}, a - b, b - a, a ^ b == {1, 4}, a <= {1, 2, 3, 4}, a < a, a.isdisjoint({9}), a.issuperset([1]), a.union([7], (8,)) == {1, 2, 3, 7, 8}, a == frozenset(a), set(), len({1, 1.0, True}))
a.add(5); a.discard(1); a.discard(99); a.remove(5); a.update([10], [11]); a -= {11}; a |= {12}; a &= {2, 12, 10}; a ^= {2}
print(sorted(a), frozenset([1]), {frozenset([1]): 2}[frozenset([1])], sorted(a.copy()))
for f in [lambda: a.remove(99), lambda: set().pop(), lambda: {[]}, lambda: a | [1], lambda: hash(set()), lambda: a < 5, lambda: set(5), lambda: frozenset().add]:
    try:
        f()
    except (KeyError, TypeError, AttributeError) as e:
        print(type(e).__name__, e)
