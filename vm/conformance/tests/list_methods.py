# append, extend, insert, pop, remove, index, count, reverse, copy, clear and their errors.
l = [3, 1]
l.append(2); l.extend("ab"); l.insert(0, "first"); l.insert(-1, "x"); l.insert(100, "end")
print(l, l.pop(), l.pop(0), l.index(2), l.count(1))
l.remove("a"); l.reverse()
c = l.copy()
l.clear()
print(c, l, c + [1], c * 2, c == c[:], [1, 2] < [1, 3], [1] < [1, 0], [] == ())
for f in [lambda: l.pop(), lambda: c.remove(99), lambda: c.index(99), lambda: c[99], lambda: c.pop(99), lambda: c + (1,), lambda: c["a"], lambda: c.insert("a", 1), lambda: c * 1.5, lambda: c.__setitem__(99, 1)]:
    try:
        f()
    except (IndexError, ValueError, TypeError) as e:
        print(type(e).__name__, e)
