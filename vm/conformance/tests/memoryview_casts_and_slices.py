# A memoryview has a format, a shape and strides; cast and slices change them.
def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)


m = memoryview(bytes(range(24)))
n = m.cast("I", [2, 3])
print(n.tolist(), n.shape, n.strides, n.itemsize, n.nbytes, n.ndim, n.contiguous)
print(n[1, 2], n[-1, 0], len(n), n.hex(":", 4))
print(m[::5].tolist(), m[20:2:-6].tobytes(), m[::2].c_contiguous, bytes(m[::3]))
print(m[::2] == bytes(range(0, 24, 2)), m != b"", hash(m) == hash(bytes(range(24))))
for fmt in "cbB?hHiIlLqQnNfdeP":
    attempt(lambda: m.cast(fmt)[0:2].tolist() if fmt not in "fdec" else m.cast(fmt).itemsize)
attempt(lambda: n[0])
attempt(lambda: n[0, 5])
attempt(lambda: n[0, 0, 0])
attempt(lambda: m[24])
attempt(lambda: m["x"])
attempt(lambda: m.cast("z"))
attempt(lambda: m.cast("h").cast("i"))
attempt(lambda: m.cast("B", [5, 5]))
attempt(lambda: m.cast("B", [0, 5]))
attempt(lambda: memoryview(3))
attempt(lambda: memoryview("s"))
a = bytearray(8)
v = memoryview(a)
v[1] = 255
v[2:4] = b"xy"
v.cast("h")[2] = -2
print(a, v.readonly, v.toreadonly().readonly, v.obj is a)
attempt(lambda: v.__setitem__(0, 256))
attempt(lambda: v.__setitem__(0, "a"))
attempt(lambda: v.__setitem__(slice(0, 2), b"abc"))
attempt(lambda: v.__delitem__(0))
attempt(lambda: hash(v))
attempt(lambda: memoryview(b"x").__setitem__(0, 1))
with memoryview(b"abc") as w:
    print(w.tobytes("F"), list(w), 98 in w, *w)
attempt(lambda: w.tobytes())
print(repr(w).startswith("<released memory at 0x"))
z = memoryview(b"\x05\0\0\0").cast("i", [])
print(z[()], z.ndim, z.shape, z.tolist())
d = memoryview(bytearray(16)).cast("d")
d[0] = 1.5
d[1] = 2
print(d.tolist(), d == memoryview(d))
match memoryview(b"ab"):
    case [x, y]:
        print(x, y)
