# __mro_entries__ lets an object that is no class stand among the bases.
class Alias:
    def __init__(self, c): self.c = c
    def __mro_entries__(self, bases): return (self.c,)
class B: pass
a = Alias(B)
class C(a): pass
print(C.__bases__, C.__orig_bases__ == (a,))
class G:
    def __class_getitem__(cls, k): return (cls.__name__, k)
print(G[int, 3], list[int], dict[str, int].__args__)
