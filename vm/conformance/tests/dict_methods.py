# get, setdefault, pop, popitem, update, fromkeys, merge, and their errors.
d = {"a": 1, "b": 2}
print(d.get("a"), d.get("z"), d.get("z", 0), d.setdefault("c", 3), d.setdefault("a", 9), d.pop("b"), d.pop("q", None), d)
d.update({"x": 1}, y=2); d.update([("z", 3)])
print(d, d.popitem(), len(d), dict.fromkeys("ab", 0), d | {"a": 5}, {"q": 1} | d, "a" in d, dict([("k", "v")], w=1))
d |= {"new": 1}
c = d.copy()
d.clear()
print(c, d, c == dict(reversed(list(c.items()))), c != {}, list(reversed(c)))
for f in [lambda: d["nope"], lambda: d.popitem(), lambda: d.pop("x"), lambda: {[]: 1}, lambda: dict([1]), lambda: dict([(1, 2, 3)]), lambda: d | [1], lambda: d.update(5), lambda: dict(1), lambda: d[{}]]:
    try:
        f()
    except (KeyError, TypeError, ValueError) as e:
        print(type(e).__name__, e)
