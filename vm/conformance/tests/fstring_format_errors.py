# Bad format specs raise ValueError or TypeError with CPython's texts.
for spec, v in [("d", 1.5), ("x", "s"), ("q", 1), (".2f", "s"), (",", "s"), ("5.2", 3), ("=5", "s"), ("+", "s"), ("s", 1), ("s", []), ("c", -1), (".3d", 1), ("_c", 65)]:
    try:
        print(format(v, spec))
    except (ValueError, TypeError, OverflowError) as e:
        print(type(e).__name__, e)
