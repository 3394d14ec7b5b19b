# Truth, `in`, sums of bools, characters of strings: classes change while the loop runs.
class Plain:
    pass


class Sized:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n


class Late:
    pass


def truths(n):
    things = [[], [0], (), (1,), "", "x", {}, {1: 2}, set(), {3}, 0.0, 0.5, b"", b"y", Plain(), Sized(0), Sized(2), None, True, 3]
    late = Late()
    t = 0
    for i in range(n):
        if things[i % 20]:
            t += 1
        if not things[(i * 7) % 20]:
            t += 2
        while not late:
            t += 1000
            del Late.__bool__
        if i == 1500:
            Late.__bool__ = lambda self: False
        t += bool(things[i % 3])
    return t


print(truths(3000))


def bools(n):
    t = 0
    flags = [False, True, True]
    for i in range(n):
        a, b = flags[i % 3], flags[i % 2]
        t += a + b + (a - b) + (i + a) - (b + 1) + (1 - a) + a * 3
        if a + b == 2:
            t += 10
        if a < b:
            t += 100
        t += a & b
    return t, True + True, type(True + False).__name__


print(bools(1500))


class Key:
    def __init__(self, v):
        self.v = v

    def __hash__(self):
        return hash(self.v)

    def __eq__(self, other):
        return isinstance(other, Key) and self.v == other.v or self.v == other


def members(n):
    t = 0
    d, s, f = {1: 1, "a": 2}, {2, "b"}, frozenset((3, "c"))
    k = {Key(5): 1}
    mixed = [1.0, True, "z", None, Key(7)]
    for i in range(n):
        x = i % 9
        c = "abcdez"[i % 6]
        t += (x in d) + 2 * (x in s) + 4 * (x in f) + 8 * (x not in (1, 2, 3)) + 16 * (c in "bad")
        t += 32 * (c in d) + 64 * (c in s) + 128 * (c in ["a", "z"]) + 256 * (x in k) + 512 * (x in mixed) + (c in mixed)
        if i == 700:
            d[x] = s.add(c)
    return t


print(members(1500))
for bad in (lambda: 1 in "abc", lambda: [] in {1}, lambda: 1 in 5, lambda: {} in {}):
    try:
        print(bad())
    except TypeError as e:
        print(e)


class S(str):
    def __iter__(self):
        return iter("no")


def characters(n):
    t = 0
    text = "hello, w\xf6rld \u20ac!"
    for i in range(n):
        c = text[i % 15]
        t += ord(c) + (text[-1] == "!") + (c == "l")
        for c in "abc":
            t += c == "b"
        for c in S("abc"):
            t += c == "n"
        for c in text:
            t += c > "w"
    for bad in (lambda: text[15], lambda: text[-16], lambda: text["x"]):
        try:
            bad()
        except (IndexError, TypeError) as e:
            t += len(str(e))
    return t


print(characters(900))
it = iter("ab")
print(list(it), list(it), [c for c in str.__iter__(S("xy"))])
