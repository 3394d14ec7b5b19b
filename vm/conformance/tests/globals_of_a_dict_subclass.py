# Globals that are an instance of a subclass of dict are asked through its __getitem__.
class Names(dict):
    def __missing__(self, key):
        if key.startswith("n"):
            return int(key[1:])
        raise KeyError(key)

g = Names()
f = eval("lambda: n1 + n20 + len('abc')", g)
print([f() for _ in range(3)])

class Counting(dict):
    count = 0
    def __getitem__(self, key):
        self.count += 1
        return dict.__getitem__(self, key)

g = Counting(x=5)
f = eval("lambda: x + x", g)
print(sum(f() for _ in range(2000)), g.count)
try:
    eval("lambda: nothing", Counting())()
except NameError as e:
    print(e)
