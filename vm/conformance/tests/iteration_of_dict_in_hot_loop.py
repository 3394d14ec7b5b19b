# Dict iteration in loops: deleted entries are skipped, a change of size raises.
def run(n):
    d = {i: str(i) for i in range(40)}
    for i in range(0, 40, 3):
        del d[i]
    t = 0
    for k in range(n):
        for a in d:
            t += a
        for v in d.values():
            t += len(v)
        for a, v in d.items():
            t += a * len(v)
        d[1] = str(k)
    return t


print(run(100))


def grows(d):
    for i, k in enumerate(d):
        d[k] = i
        if i == 5:
            d["new"] = 1


try:
    grows(dict.fromkeys(range(10)))
except RuntimeError as e:
    print(e)

d = {1: 2}
it = iter(d)
print(list(it), next(it, "end"))


def ranges(n):
    t = 0
    for i in range(n):
        for j in range(3):
            t += j
        for j in range(5, 1, -2):
            t += j
        for j in range(i, i + 2):
            t += j
        for j in range(4, 4):
            t += 1000
    return t


print(ranges(500), list(range(10, 0, -3)), len(range(0, 10, 3)))
big = 2**49 - 3
print([i for i in range(big, big + 6)], list(range(-big * 4, -big * 4 + 2)))
for args in ((), (1, 2, 0), (1.5,), (1, 2, 3, 4)):
    try:
        range(*args)
        print("no error")
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
try:
    range(1, 2, 0)
except ValueError as e:
    print(e)


def unpack(n):
    t = 0
    for i in range(n):
        (a, b), [c, d] = (i, 1), [2, 3]
        a, b = b, a
        t += a + b * c + d
    return t


print(unpack(2000))
for bad in ((1,), [1, 2, 3], "a", 5):
    try:
        a, b = bad
    except (TypeError, ValueError) as e:
        print(e)
