# array.array: items, slices, conversions and what does not fit.
from array import array, typecodes, _array_reconstructor
import copy


def show(f, *args):
    try:
        return f(*args)
    except (TypeError, ValueError, OverflowError, IndexError, EOFError) as e:
        return f"{type(e).__name__}: {e}"


print(typecodes, [(c, array(c).itemsize) for c in typecodes])
for c in "bBhHiIlLqQfdu":
    for v in (-1, 1.5, 300, -300, 70000, 2**32, 2**63, -2**63 - 1, 2**64, "a", None):
        print(c, v, show(array, c, [v]), sep=" | ")
x = array("i", [1, 2, 3, 4, 5])
print(x, x[1], x[-1], x[1:4], x[::-2], len(x), 3 in x, x.index(4), x.count(5), x.tolist(), x.tobytes())
x[1:3] = array("i", [7, 8, 9])
x[::2] = array("i", [0, 0, 0])
print(x)
del x[0], x[1:3], x[::2]
print(x, x * 3, x + array("i", [6]), array("i") == array("f"), x < array("i", [100]), x == array("d", [5.0]))
x += x
x *= 2
x.insert(1, 10)
x.extend([1, 2])
x.remove(10)
print(x, x.pop(), x.pop(0), x)
x.reverse()
x.byteswap()
print(x, array("H", [1, 258]).tobytes())
x.frombytes(b"\1\0\0\0")
x.fromlist([5])
print(x, array("u", "aä€").tounicode(), array("d", b"\0" * 16), array("b", bytearray(b"ab")), array("i", range(3)), array("f", array("i", [1])))
x = array("i", [1, 2, 3])
for call in [(array,), (array, 1), (array, "x"), (array, "b", "abc"), (array, "i", b"abc"), (x.pop, 9), (x.index, 9), (x.remove, 9), (x.fromlist, 5),
             (x.fromlist, [1, "a"]), (x.frombytes, b"abc"), (x.fromunicode, "a"), (x.tounicode,), (x.__getitem__, "a"), (x.__getitem__, 10),
             (x.__setitem__, 10, 1), (x.__setitem__, slice(0, 1), [1]), (x.__setitem__, slice(0, 3, 2), array("i", [1])), (x.__add__, [1]),
             (x.extend, array("b", [1])), (array("i").pop,), (hash, x), (_array_reconstructor, int, "i", 8, b""), (_array_reconstructor, array, "i", 88, b"")]:
    print(show(*call))
print(x, x.__reduce_ex__(2), x.__reduce_ex__(3)[1][1:], _array_reconstructor(array, "i", 9, b"\0\0\0\1"), copy.copy(x), copy.deepcopy(x))
m = memoryview(x)
print(m.format, m.itemsize, m.tolist(), bytes(m) == x.tobytes(), b"".join([x]) == x.tobytes())
m[0] = 99
print(x)


class Sub(array):
    pass


s = Sub("i", [1])
s.attr = 3
print(s, s.attr, type(s + s).__name__, s.__reduce_ex__(3)[2], [type(v) for v in iter(s)], repr(Sub("u", "é")))
match x:
    case [a, *rest]:
        print(a, rest)
