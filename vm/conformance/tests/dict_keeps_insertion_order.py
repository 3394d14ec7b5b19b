# Order is that of first insertion; updating keeps it, deleting and re-adding moves it.
d = {}
for k in "hello": d[k] = d.get(k, 0) + 1
print(d)
del d["e"]
d["e"] = 1
d["h"] = 9
print(list(d), list(d.items()), d)
big = {i * 7 % 1000: i for i in range(1000)}
for i in range(0, 1000, 2): del big[i]
print(len(big), list(big)[:6], sum(big.values()))
