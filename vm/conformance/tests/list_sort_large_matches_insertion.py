# Sorting a long pseudo-random list gives an ordered permutation.
x = 12345
l = []
for i in range(2000):
    x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    l.append(x % 500)
s = sorted(l)
print(all(a <= b for a, b in zip(s, s[1:])), sum(s) == sum(l), s[:5], s[-3:], sorted(l, key=lambda v: -v) == s[::-1])
idx = sorted(range(2000), key=l.__getitem__)
print(all(l[a] < l[b] or (l[a] == l[b] and a < b) for a, b in zip(idx, idx[1:])))
