# reduce, partial, lru_cache, wraps; chain, islice, groupby, product and others.
# needs: lib
import functools, itertools
print(functools.reduce(lambda a, b: a * b, range(1, 6)), functools.partial(int, base=2)("101"))
@functools.lru_cache(maxsize=2)
def sq(x): return x * x
print(sq(2), sq(2), sq(3), sq(4), sq.cache_info())
print(list(itertools.chain("ab", [1])), list(itertools.islice(itertools.count(5, 2), 3)), [(k, list(g)) for k, g in itertools.groupby("aabc")], list(itertools.product("ab", repeat=2))[:3], list(itertools.combinations(range(3), 2)), list(itertools.permutations(range(3), 2))[:2], list(itertools.accumulate([1, 2, 3])), list(itertools.zip_longest("a", "bc")), list(itertools.takewhile(lambda x: x < 3, range(9))))
