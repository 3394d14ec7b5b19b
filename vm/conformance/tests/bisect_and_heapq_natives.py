# _bisect and _heapq: results, keys, errors, lists that change under comparison.
from _bisect import bisect_left, bisect_right, insort_left, insort_right
bisect, insort = bisect_right, insort_right
from _heapq import heapify, heappop, heappush, heappushpop, heapreplace
from _heapq import _heapify_max, _heappop_max, _heapreplace_max

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

l = [1, 2, 2, 2, 5, 8]
print([(bisect_left(l, x), bisect_right(l, x), bisect(l, x)) for x in (0, 1, 2, 3, 8, 9)])
print(bisect(l, 2, 1, 3), bisect_left(l, 2, lo=2), bisect_left(l, 9, hi=3), bisect(l, 2, 0, None), attempt(bisect, l, 1, -1), attempt(bisect, l, "a"), attempt(bisect, 5, 1), attempt(bisect, l))
words = ["a", "bb", "cccc"]
print(bisect(words, 2, key=len), bisect_left(words, 2, key=len), insort(words, "ddd", key=len), words)
insort_left(l, 2); insort_right(l, 2.0); insort(l, 100); print(l)
class L(list):
    def insert(self, i, x):
        print("insert", i, x)
insort(L([1, 3]), 2); insort_left(L(), 1)
class S:
    def __len__(self): return 10
    def __getitem__(self, i): return i * 2
print(bisect(S(), 7), bisect_left(S(), 8))

h = []
for x in [5, 2, 8, 1, 9, 3]:
    heappush(h, x)
print(h, heappop(h), h, heapreplace(h, 0), h, heappushpop(h, -1), heappushpop(h, 4), h)
h = list(range(20, 0, -1)); heapify(h); print(h, [heappop(h) for _ in range(20)])
h = list(range(20)); _heapify_max(h); print(h, [_heappop_max(h) for _ in range(5)], _heapreplace_max(h, -3), h)
for f in (heappop, heapify, _heappop_max):
    print(attempt(f, []), attempt(f, 5), attempt(f))
print(attempt(heappush, 5, 1), attempt(heappush, []), attempt(heapreplace, [], 1), heappushpop([], 1), attempt(heappush, [1], "a"))
class Evil:
    def __lt__(self, other):
        del e[:]
        return True
e = [Evil() for _ in range(10)]; print(attempt(heapify, e))
e = [Evil() for _ in range(10)]; print(attempt(heappop, e))
e = [Evil() for _ in range(10)]; print(attempt(heappush, e, Evil()))
import _heapq
print(type(_heapq.__about__))
