# Every iterator of itertools gives the items that CPython's gives.
import itertools as it
from itertools import *
from operator import mul

def take(n, i):
    return [x for x, _ in zip(i, range(n))]

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

print(take(3, count()), take(3, count(5)), take(3, count(2, 3)), take(3, count(2.5, 0.5)))
print(take(3, count(2**70)), take(3, count(2**63 - 2)), take(3, count(step=-1)))
print(count(3), count(3, 2), count(2.5), count(1, 1), count(-9), count(1, 1.0))
print(attempt(count, "a"), attempt(count, 1, 2, 3), attempt(count, x=1))
print(take(7, cycle("abc")), take(2, cycle("")), attempt(cycle), attempt(cycle, 5))
print(take(3, repeat("x")), list(repeat(1, 2)), list(repeat(1, -3)), repeat(1), repeat((1, 2), 3))
print(attempt(repeat), attempt(repeat, 1, "x"), attempt(repeat, 1, 2**70), repeat(1, 5).__length_hint__())
print(attempt(repeat(1).__length_hint__))
print(list(chain("ab", [1], (), "c")), list(chain.from_iterable(["ab", [1]])), attempt(list, chain(1)))
print(list(compress("abcdef", [1, 0, 1, 0, 1])), attempt(compress, "a"), list(compress(selectors=[1], data="z")))
print(list(dropwhile(lambda x: x < 3, [1, 4, 2, 5])), list(takewhile(lambda x: x < 3, [1, 2, 4, 1])))
print(list(filterfalse(None, [0, 1, "", "x"])), list(filterfalse(lambda x: x % 2, range(6))))
print(list(starmap(pow, [(2, 3), [3, 2], range(2, 4)])), attempt(list, starmap(pow, [1])))
print(list(islice("abcdef", 3)), list(islice("abcdef", 2, None)), list(islice("abcdefgh", 1, 7, 2)))
for args in [(), (-1,), ("a",), (1, -2), (0, 1, 0), (1, "x"), (None, None, None), (2**70,), (1, 2, 3, 4)]:
    r = attempt(islice, "abc", *args)
    print(args, r if isinstance(r, str) else list(r))
i = iter(range(10))
print(list(islice(i, 0, 5, 3)), next(i))
print(list(accumulate([1, 2, 3])), list(accumulate("abc")), list(accumulate([1, 2, 3], mul)), list(accumulate([1, 2], initial=10)), list(accumulate([], initial=1)), list(accumulate([])))
print(list(pairwise("abcd")), list(pairwise("a")), list(pairwise("")))
print(list(zip_longest("abc", "x", fillvalue="-")), list(zip_longest()), attempt(zip_longest, x=1), attempt(zip_longest, 3))
print(list(product("ab", [1, 2])), list(product()), list(product("ab", repeat=2)), list(product("ab", [])), list(product("a", repeat=0)))
print(attempt(product, "a", repeat=-1), attempt(product, "a", x=1), attempt(product, [1], repeat=2**62))
print(list(combinations("abcd", 2)), list(combinations("ab", 3)), list(combinations("ab", 0)), attempt(combinations, "a", -1))
print(list(combinations_with_replacement("abc", 2)), list(combinations_with_replacement("", 1)), list(combinations_with_replacement("", 0)))
print(list(permutations("abc")), list(permutations("abc", 2)), list(permutations("ab", 3)), list(permutations("ab", 0)))
print(attempt(permutations, "a", "x"), attempt(permutations, "a", -1), attempt(permutations), attempt(combinations, "a", None))
print([(k, list(g)) for k, g in groupby("aabbbca")], [(k, list(g)) for k, g in groupby([1, 3, 2, 5], key=lambda x: x % 2)])
g = groupby("aabb")
k, first = next(g)
k2, second = next(g)
print(k, list(first), k2, list(second))
a, b, c = tee("xyz", 3)
print(list(a), next(b), list(c), list(b), tee("a", 0), attempt(tee, "a", -1), attempt(tee, 1))
a, b = tee(range(200))
print(sum(a), sum(b))
class Sub(chain):
    def __init__(self, *args, **kw):
        self.kw = kw
print(list(Sub("ab", x=1)), Sub(x=2).kw, attempt(chain, x=1))
class Named(repeat):
    pass
print(Named(1, 2), list(Named(1, 2)), type(Named(2)).__mro__[1])
print(attempt(count.__new__), attempt(count.__new__, int), attempt(count.__new__, 3))
print(sorted(n for n in dir(it) if not n.startswith("__")))
