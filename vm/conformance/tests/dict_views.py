# keys, values and items are live views; keys and items are set-like.
d = {"a": 1, "b": 2}
k, v, i = d.keys(), d.values(), d.items()
d["c"] = 3
print(k, v, i, len(k), "c" in k, ("c", 3) in i, 3 in v, k & {"a", "z"}, sorted(k | {"z"}), sorted(k - {"a"}), k == {"a", "b", "c"}, i >= {("a", 1)}, k.isdisjoint("xy"), list(reversed(k)), k.mapping == d)
