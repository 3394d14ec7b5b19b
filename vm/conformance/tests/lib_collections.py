# deque, defaultdict, OrderedDict, Counter, namedtuple and ChainMap.
# needs: lib
from collections import deque, defaultdict, OrderedDict, Counter, namedtuple, ChainMap
d = deque([1, 2, 3], maxlen=3)
d.append(4); d.appendleft(0); d.rotate(1)
print(d, d.pop(), len(d), list(reversed(d)))
dd = defaultdict(list)
dd["a"].append(1)
print(dd, Counter("hello").most_common(1), OrderedDict(a=1), ChainMap({"a": 1}, {"b": 2})["b"])
P = namedtuple("P", "x y", defaults=[5])
print(P(1), P(1)._replace(y=9), P._fields, P(1) == (1, 5))
