# A recursive container prints [...] and compares by identity.
l = [1]
l.append(l)
d = {}
d["d"] = d
t = ([],)
t[0].append(t)
print(l, d, t, l[1] is l, l == l)
try:
    m = [1]; m.append(m)
    l == m
except RecursionError as e:
    print(type(e).__name__)
