# Keys of equal value and hash are one key, whatever their types.
d = {}
d[1] = "int"; d[1.0] = "float"; d[True] = "bool"; d["1"] = "str"; d[(1,)] = "tuple"; d[None] = "none"; d[b"1"] = "bytes"; d[frozenset([1])] = "fs"; d[2 ** 70] = "big"; d[1.5] = "f"; d[range(1)] = "r"; d[1j] = "c"
print(d, len(d))
print(d[1], d[2 ** 70], d[float(1)], d[frozenset({1})], 2 in d, -1 in d)
