# Chained targets are assigned left to right from one evaluation.
log = []
def v():
    log.append(1)
    return []
a = b = v()
print(a is b, log)
d = {"n": 1}
d["n"] += 4; d["n"] *= 3; d["n"] -= 1; d["n"] //= 2; d["n"] **= 2; d["n"] %= 10; d["n"] <<= 3; d["n"] |= 1; d["n"] ^= 3; d["n"] &= 0xFE; d["n"] >>= 1; d["n"] /= 4
print(d)
def idx():
    log.append("i")
    return 0
l = [10]
l[idx()] += 5
print(l, log)
