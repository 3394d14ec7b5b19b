# len, item access, iteration and `in` go through special methods with their fallbacks.
class Seq:
    def __getitem__(self, i):
        if i >= 3: raise IndexError(i)
        return i * 10
print(list(Seq()), 20 in Seq(), 5 in Seq(), list(reversed("ab")))
class L:
    def __len__(self): return 3
    def __getitem__(self, i): return i
    def __setitem__(self, i, v): print("set", i, v)
    def __delitem__(self, i): print("del", i)
    def __contains__(self, x): return "yes"
l = L()
l[1] = 2
del l[1:2]
print(l[::2], l[1, ...], 9 in l, list(reversed(l)), bool(l))
class N:
    def __len__(self): return -1
for f in [lambda: len(N()), lambda: len(5), lambda: iter(5), lambda: 1 in 5, lambda: (1)[0]]:
    try:
        f()
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
