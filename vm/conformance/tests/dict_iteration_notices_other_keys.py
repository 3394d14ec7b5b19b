# As many keys as before, but other ones: iteration ends with an error where it would give more than there were.
def loop(d, it, change):
    seen = []
    try:
        for x in it:
            seen.append(x)
            change(d, len(seen))
    except RuntimeError as e:
        return seen, str(e)
    return seen


def later(d, n):
    if n == 1:
        del d[2]
        d[3] = 3


def more(d, n):
    if n == 2:
        del d[0]
        d[9] = 9


def grow(d, n):
    d[n + 100] = 0


for view in (dict.keys, dict.values, dict.items, dict):
    for change in (more, later, grow):
        d = {0: 0, 1: 1, 2: 2}
        print(change.__name__, loop(d, view(d), change))
    d = {i: i for i in range(20)}
    for i in range(0, 20, 3):
        del d[i]
    print(sum(1 for _ in view(d)), loop(d, view(d), lambda d, n: None))
d = {0: 0, 1: 1}
it = iter(d.values())
next(it), next(it)
del d[0]
d[2] = 2
for _ in range(2):
    try:
        print(next(it))
    except (RuntimeError, StopIteration) as e:
        print(type(e).__name__, e)
import pickle
d = {i: -i for i in range(5)}
del d[1]
it = iter(d.items())
next(it), next(it)
print(list(pickle.loads(pickle.dumps(it))), list(it))
total = 0
d = dict.fromkeys(range(300))
for k in range(0, 300, 7):
    del d[k]
for _ in range(20):
    for k in d:
        total += k
print(total)
