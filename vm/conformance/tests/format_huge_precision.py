# Precisions beyond what a double has digits for are filled with zeros.
for p in (0, 17, 1073, 1074, 1101, 65535, 65536, 70000):
    for v in (0.0, 1.5, 5e-324, 1.7976931348623157e308, 0.1):
        for c in "feg":
            s = f"%.{p}{c}" % v
            print(p, v, c, len(s), s[:20], s[-20:])
    print(len(format(0.1, f"#.{p}g")), format(0.1, f"#.{p}g")[-10:])


class Index:
    def __index__(self):
        return True


import warnings

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    print(int(Index()), [1, 2][Index()])
print([str(w.message) for w in seen])
print(int(memoryview(b"12")), float(memoryview(b"1.5")))
