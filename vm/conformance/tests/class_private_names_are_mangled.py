# __x inside a class becomes _Class__x.
class C:
    __p = 1
    def __init__(self): self.__q = 2
    def get(self): return self.__p, self.__q
    def __m(self): return "m"
    def call(self, __arg=3): return self.__m(), __arg
c = C()
print(c.get(), c._C__p, c._C__q, c.call(), hasattr(c, "__q"))
class _D:
    __z = 5
print(_D._D__z)
