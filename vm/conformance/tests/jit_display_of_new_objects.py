# A dict or set display keeps new objects whose registers are its only names, wherever the collector runs.
def table(n):
    big = 1 << 90 | n
    return {1: n, "k": -big, n: big * 3, "s": str(n) + "!", "t": (n, -big)}


def items(n):
    return {str(n) * 3, str(n + 1), "x" + str(n)}


total = 0
for i in range(300):
    d = table(i)
    total += d["k"] + d[i] if i != 1 else 0
    total += len(d["s"]) + d["t"][1]
    total += sum(map(len, items(i)))
print(total)


def once(n):
    big = 1 << 90 | n
    low = [n, big * 65536, 10]
    d = {1: n, "k": -big}
    e = {n: -big, "z": big - 1, "y": big + 1, "x": str(big)}
    return [low[1], d["k"], e[n], e["z"], e["y"], e["x"]]


print([once(i)[i % 6] for i in range(40)])
