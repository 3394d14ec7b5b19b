# Stars in subscripts, returns and for loops.
class I:
    def __getitem__(self, k): return k
i = I()
t = (1, 2)
print(i[*t], i[0, *t, 5], i[1:2, ...], i[()])
for x in *t, 3: print(x, end=" ")
print()
