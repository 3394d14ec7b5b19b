# What iterators give and containers take inside hot loops, also where it ends in an exception or needs Python code.



class Key:
    def __init__(self, n):
        self.n = n
        self.asked = 0

    def __hash__(self):
        return hash(self.n)

    def __eq__(self, other):
        self.asked += 1
        return isinstance(other, Key) and other.n == self.n or other == self.n


def sizes_change(container, step):
    seen = 0
    try:
        for x in container:
            seen += 1
            step(container, seen)
    except RuntimeError as e:
        return seen, type(e).__name__, str(e)
    return seen, None, None


def grow_dict(d, seen):
    if seen == 150:
        d["new"] = 1


def grow_set(s, seen):
    if seen == 150:
        s.add("new")


def grow_list(l, seen):
    if seen == 150:
        l.extend([1, 2, 3])


for n in (10, 149, 150, 400):
    print(n, sizes_change(dict.fromkeys(range(n)), grow_dict))
    print(n, sizes_change(set(range(n)), grow_set))
    print(n, sizes_change(list(range(n)), grow_list))


def view(d, kind, at):
    out = 0
    try:
        for x in getattr(d, kind)():
            out += 1
            if out == at:
                del d[0]
    except RuntimeError as e:
        return out, str(e)
    return out


for kind in ("keys", "values", "items"):
    print(kind, view(dict.fromkeys(range(300)), kind, 1000), view(dict.fromkeys(range(300)), kind, 120))


def ends(rows):
    # The end of a short inner loop is a bridge; an exception must not take it.
    total = 1
    caught = 0
    for d in rows:
        try:
            for k in d:
                total += k
                if total % 97 == 0:
                    d[-k - 1] = 0
        except RuntimeError:
            caught += 1
    return total, caught


print(ends([dict.fromkeys(range(i % 7)) for i in range(2000)]))


def numbered(items):
    total = 0
    for i, x in enumerate(items, 5):
        total += i * x
    return total


def zipped(a, b, strict=False):
    total = 0
    try:
        for x, y in zip(a, b, strict=strict):
            total += x - y
    except ValueError as e:
        return total, str(e)
    return total


def gen(n):
    for i in range(n):
        yield i * 3


class Next:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        self.n -= 1
        if self.n < 0:
            raise StopIteration
        return self.n


class Numbered(enumerate):
    def __next__(self):
        i, x = super().__next__()
        return i + 1, x


for source in (list(range(300)), tuple(range(300)), range(300), dict.fromkeys(range(300)), gen(300), Next(300)):
    print(numbered(source))
print(numbered(Next(250)), numbered(reversed(list(range(250)))), numbered(enumerate_ for enumerate_ in range(250)))
print(sum(i * x for i, x in Numbered(range(300))))
for i in range(3):
    print(zipped(range(300), list(range(300 - i))), zipped(gen(300), Next(300 + i)))
    print(zipped(range(300), list(range(300 - i)), True), zipped(list(range(300)), gen(300 + i), True))
print(numbered(enumerate_[1] for enumerate_ in enumerate(zip(range(200), range(200))) if 0) or "none")


def same_loop(sources):
    # The kinds of iterators alternate at one place.
    total = 0
    for s in sources:
        for i, x in enumerate(s):
            total += i ^ x
    return total


print(same_loop([list(range(9)), gen(9), {1, 2, 3}, Next(9), range(9)] * 200))


def puts(n, mod):
    d, s, l = {}, set(), []
    for i in range(n):
        d[i % mod] = i
        d[str(i % mod)] = i
        d[float(i % mod)] = -i
        s.add(i % mod)
        l.append(i)
    return len(d), sum(d.values()), len(s), len(l)


print(puts(500, 17), puts(500, 1000))


def keyed(n):
    keys = [Key(i) for i in range(20)]
    d = {k: 0 for k in keys}
    for i in range(n):
        d[i % 25] = i
    return len(d), sum(d.values()), sum(k.asked for k in keys)


print(keyed(400))


def comprehensions(n):
    keys = [Key(i) for i in range(5)]
    out = 0
    for i in range(n):
        a = {k % 7: k + i for k in range(12)}
        b = {k % 5 for k in range(12)}
        c = {k if k % 4 else keys[k % 5]: k for k in range(8)}
        e = [k for k in a.items() if k[0] & 1]
        f = {k: v for k, v in zip("abc", range(i % 4))}
        out += sum(a.values()) + len(b) + len(c) + len(e) + len(f)
    return out, sum(k.asked for k in keys)


print(comprehensions(150))


def displays(n):
    rows = []
    for i in range(n):
        rows.append({"id": i, i: "id", 1.5: None, "id" if i % 3 else "other": -i})
    return len(rows), sum(len(r) for r in rows), rows[7], {len({i % 2, 0, "x"}) for i in range(n)}


print(displays(300))


def unhashable(n):
    try:
        return {(k if k < n - 1 else []): k for k in range(n)}
    except TypeError as e:
        return str(e)


print(unhashable(300))


def names(n):
    # A namespace that compiled code relies on.
    g = globals()
    total = 0
    for i in range(n):
        total += helper(i)
        if i == n - 50:
            g["helper"] = lambda x: 1000
    return total


def helper(x):
    return x


print(names(400))


def methods(n):
    keys = [Key(i) for i in range(6)]
    d, s, out = {k: 0 for k in keys[:3]}, set(keys[3:]), 0
    for i in range(n):
        d.setdefault(i % 9, []).append(i) if i % 9 > 2 else d.get(i % 9, 0)
        d.setdefault("abc"[i % 3], i)
        s.add(i % 9)
        s.add(str(i % 5))
        out += d.get("b", 7) + d.get("zz", 1) + (d.get(float(i)) is None) + len(d.get(8, ()))
    return len(d), len(s), out, sum(k.asked for k in keys), s.add(1), d.get("no")


print(methods(400))


def wrong(n, method, *args):
    out = []
    for i in range(n):
        try:
            out.append(method(*args) if i % 2 else {}.get(i))
        except TypeError as e:
            out.append(str(e))
    return sorted(set(map(str, out)))


print(wrong(300, set().add, []), wrong(300, {}.setdefault), wrong(300, {}.get, 1, 2, 3))
