# Operators on strings, bytes, tuples, big integers and None in hot loops, as types change.
def add(n, values):
    out = []
    for i in range(n):
        a = values[i % len(values)]
        b = values[(i + 1) % len(values)]
        try:
            r = a + b
        except TypeError as e:
            r = str(e)
        if i % 97 == 0:
            out.append(r)
    return out


def order(n, values):
    less = same = wrong = 0
    for i in range(n):
        a = values[i % len(values)]
        b = values[i * 3 % len(values)]
        if a == b:
            same += 1
        try:
            if a < b:
                less += 1
        except TypeError:
            wrong += 1
    return less, same, wrong


def truths(n, values):
    count = 0
    for i in range(n):
        v = values[i % len(values)]
        if v:
            count += 1
        if not v:
            count += 1000
    return count


class Plain:
    pass


def becomes_false(n):
    count = 0
    o = Plain()
    for i in range(n):
        if o:
            count += 1
        if i == n // 2:
            Plain.__bool__ = lambda self: False
    del Plain.__bool__
    return count


print(add(400, ["a", "bc", "d" * 3]))
print(add(300, [1, 2.5, 1 << 80, True]))
print(add(300, [b"x", b"yz"]))
print(add(300, [(1,), (2, 3), ()]))
print(add(200, ["a", 1]))
print(order(900, ["a", "b", "ab", ""]))
print(order(900, [1, 2.5, 1 << 80, float("inf"), True]))
print(order(900, [1, "a", None, b"a"]))
print(truths(900, ["", "a", (), (0,), [], [0], {}, {1: 2}, 0, 1 << 70, b"", b"x", None]))
print(becomes_false(1000))
