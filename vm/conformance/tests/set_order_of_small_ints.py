# Sets of small ints are ordered by hash as in CPython.
print({5, 3, 1}, {3, 2, 1, 0}, set(range(10)), {-1 + 1, 7})
