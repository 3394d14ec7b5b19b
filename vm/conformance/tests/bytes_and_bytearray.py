# bytes are sequences of ints; bytearray is the mutable one.
b = b"abc\x00\xff"
print(b, b[0], b[1:3], list(b), b + b"x", b * 2, b.hex(), bytes.fromhex("61 62"), bytes(3), bytes([1, 2]), b"a" in b, 98 in b, b.find(b"c"), b.split(b"\x00"), bytes("é", "utf-8"), b"%d %s" % (5, b"x"))
a = bytearray(b"hello")
a[0] = 72
a += b"!"
a[1:3] = b"EEE"
a.append(65); a.extend(b"xy"); a.insert(0, 33)
print(a, a.pop(), len(a), a.upper(), bytes(a), a == bytes(a), a.decode())
del a[::2]
print(a)
for f in [lambda: bytes([256]), lambda: bytes("x"), lambda: b"a" + "b", lambda: b.index(b"zz"), lambda: bytes.fromhex("6"), lambda: a.__setitem__(0, 300), lambda: bytes(-1), lambda: b"a"[9], lambda: b"".join(["x"])]:
    try:
        f()
    except (ValueError, TypeError, IndexError) as e:
        print(type(e).__name__, e)
