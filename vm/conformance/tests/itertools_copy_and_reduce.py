# itertools objects tell copy and pickle how they may be remade, in mid-course too.
import itertools as it
from itertools import *

def advanced(make, n):
    i = make()
    for _ in range(n):
        next(i, None)
    return i

def remake(r):
    v = r[0](*r[1])
    if len(r) > 2 and r[2] is not None:
        v.__setstate__(r[2])
    return v

def show(x):
    if isinstance(x, (list, tuple)):
        return type(x)(map(show, x))
    if hasattr(x, "__next__"):
        return "<" + type(x).__name__ + ">"
    if isinstance(x, type):
        return x.__name__
    return "function" if callable(x) else x

makers = [
    lambda: count(3), lambda: count(3, 2), lambda: count(2**70), lambda: cycle("abc"), lambda: repeat(1), lambda: repeat(1, 3), lambda: chain("ab", "cd"),
    lambda: compress("abcd", [1, 0, 1, 1]), lambda: dropwhile(len, ["a", "", "b", "c"]),
    lambda: takewhile(len, ["a", "b", "", "c"]), lambda: filterfalse(None, [0, 1, 0, 2, 0]),
    lambda: starmap(pow, [(1, 2), (2, 3), (3, 4)]), lambda: islice("abcdefgh", 1, 6, 2), lambda: accumulate([1, 2, 3, 4]),
    lambda: accumulate([1, 2], initial=5), lambda: accumulate([None, 1], lambda a, b: None), lambda: zip_longest("abc", "d", fillvalue=0),
    lambda: product("ab", "cd"), lambda: combinations("abcd", 3), lambda: combinations_with_replacement("ab", 2),
    lambda: permutations("abc", 2), lambda: groupby("aabbc"), lambda: tee("abcd")[0],
]
for k, make in enumerate(makers):
    for n in (0, 1, 2, 9):
        if k in (0, 1, 2, 3, 4) and n == 9:
            n = 5
        r = advanced(make, n).__reduce__()
        rest = list(islice((x if not isinstance(x, tuple) else x[0] for x in remake(r)), 6))
        if k != 22:
            print(n, show(r), rest)
        else:
            print(n, rest)
for bad in (None, (), (1,), (1, 2), ([], 2, 3)):
    for make in (makers[3], makers[6], makers[17], makers[18], makers[20], makers[21], makers[22]):
        i = make()
        try:
            i.__setstate__(bad)
            print(type(i).__name__, bad, "fine")
        except Exception as e:
            print(type(i).__name__, bad, type(e).__name__)
