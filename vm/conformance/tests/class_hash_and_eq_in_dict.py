# A dict finds keys by hash and equality; __eq__ alone removes __hash__.
class K:
    def __init__(self, v): self.v = v
    def __hash__(self): return 1
    def __eq__(self, o): return isinstance(o, K) and self.v == o.v
d = {K(i): i for i in range(10)}
print(len(d), d[K(7)], K(11) in d)
d[K(3)] = "new"
del d[K(0)]
print(len(d), d[K(3)])
class E:
    def __eq__(self, o): return True
print(E.__hash__)
class H:
    def __hash__(self): return "x"
try:
    hash(H())
except TypeError as e:
    print(e)
