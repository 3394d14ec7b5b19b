# Reading and writing a dict by int and str keys: absent keys, equal keys of other classes, globals.
class Same:
    def __init__(self, v):
        self.v = v

    def __hash__(self):
        return hash(self.v)

    def __eq__(self, other):
        seen.append(other)
        return self.v == other


class Text(str):
    pass


def run(n):
    d = {}
    names = ["a", "b", "".join(["a", "b"]), Text("c")]
    t = 0
    for i in range(n):
        name = names[i % 4]
        if name == "a":
            t += 1
        if name != "ab":
            t += 2
        d[name] = i
        d[i & 7] = name
        t += d[name] + len(d[i & 7])
        try:
            t += d[i % 11]
        except (KeyError, TypeError) as e:
            t += len(str(e.args[0])) & 1
    return t, len(d)


print(run(3000))
seen = []
d = {Same(3): "three", Same("x"): "ex"}


def find(n):
    t = 0
    for i in range(n):
        t += len(d[3]) + len(d["x"])
        d[3] = "three"
        if i == 1200:
            d[3] = "four"
    return t


print(find(1500), len(seen) > 100, len(d))


def f():
    return 1


def rebinds(n):
    t = 0
    g = globals()
    for i in range(n):
        t += f()
        if i == 1500:
            g["f"] = lambda: 10
        g["counter"] = i
        t += counter & 1
    return t


print(rebinds(3000))


class Missing(dict):
    def __missing__(self, key):
        return len(key)


def missing(n):
    m = Missing(a=1)
    t = 0
    for i in range(n):
        t += m["a"] + m["long"]
        m["b"] = i
    return t


print(missing(1500))


def wide(n):
    state, out = 1, 0
    for i in range(n):
        state = state * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFFFFFFFFFF
        out ^= state >> 33
        out += (state // 1000003) % 7 + (-state // 10**15) + (state % -(10**12)) // 10**11
        if state > 1 << 62:
            out += 1
        if -state < -(1 << 63):
            out -= (state << 20) >> 75
        out += (state & -256) >> 60
    return out, state


print(wide(2000))
edge = 2**127
for x in (edge - 1, -edge, -edge + 1, 2**63, -(2**63), 2**64 - 1):
    print(x + 1, x - 1, x * 2, x // 3, x % 7, x // -3, x % -7, x & 0xFF, x | 1, x ^ -1, x >> 3, x << 3, x > 5, x == x + 0)
print("é" in "aéb", "b" in "", "" in "", "lo" in "hello", [1, "x"].__contains__("x"), 1.0 in [1], float("nan") in [0.0])
print([c for c in "aé€"], list(iter("abc")), str(5), int(2.9), int(-2.9), float(3), bool([]), type(3) is int)
