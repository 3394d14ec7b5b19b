# Slices clip, step backwards, assign and delete.
l = list(range(10))
print(l[2:5], l[-3:], l[:-8], l[::3], l[::-2], l[8:2:-3], l[5:100], l[100:], l[-100:2], l[3:3])
l[2:4] = "abc"
print(l)
l[::4] = [0, 0, 0]
print(l)
del l[1::3]
print(l)
l[3:1] = [7]
print(l)
for text in ("l[::2] = [1]", "l[::0]", "l['a']", "l[1:2:'x']", "l[0:1] = 5"):
    try:
        exec(text)
    except (TypeError, ValueError) as e:
        print(e)
s = slice(1, None, 2)
print(s, s.indices(6), slice(None, None, -1).indices(3), (1, 2, 3, 4)[s], "abcdef"[s], b"abcdef"[::-1], range(10)[2:8:3])
