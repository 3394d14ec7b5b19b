# int() reads texts with bases, signs, underscores and spaces.
for a in [("12",), (" -7 ",), ("0x1f", 16), ("0b11", 0), ("0o17", 0), ("z", 36), ("1_000",), ("٣",), (b"42",), (3.99,), (-3.99,), (True,), ("-0",)]:
    print(a, int(*a))
for a in [("",), ("1.5",), ("x",), ("1__0",), ("12", 1), ("9", 8), (None,), (float("nan"),), (float("inf"),), (5, 10), ("0x", 16)]:
    try:
        print(int(*a))
    except (ValueError, TypeError, OverflowError) as e:
        print(type(e).__name__, e)
