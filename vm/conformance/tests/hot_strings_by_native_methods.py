# Native methods of strings, lists and dicts called in hot loops give what they give outside.
def words(n):
    text = "the quick brown fox jumps over the lazy dog"
    seen = []
    total = 0
    for i in range(n):
        word = text[i % 40 : i % 40 + 5]
        upper = word.upper().strip()
        if upper.startswith("Q"):
            total += 10
        if "o" in upper.lower():
            total += upper.lower().find("o")
        total += upper.count(" ")
        seen.append(upper)
        if len(seen) > 20:
            seen.reverse()
            seen.pop()
    return total, seen[:6], ",".join(seen)[:30]


def kinds(n, things):
    out = 0
    for i in range(n):
        t = things[i % len(things)]
        c = t.copy()
        c.clear()
        out += len(t) * 10 + len(c)
    return out


print(words(4000))
print(kinds(2000, [[1, 2], {1: 2}, {4, 5, 6}]))
