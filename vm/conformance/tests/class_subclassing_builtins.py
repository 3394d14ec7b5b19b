# Subclasses of built-in types keep their behaviour and may add to it.
class I(int):
    def __add__(self, o): return I(int.__add__(self, o) + 100)
    def __repr__(self): return f"I({int(self)})"
print(I(5) + 1, I(5) * 2, type(I(5) * 2).__name__, [I(1)], I(3) == 3, {3: "x"}[I(3)])
class D(dict):
    def __missing__(self, k): return k * 2
print(D(a=1)["a"], D()["zz"], D().get("q"))
class S(str):
    def upper(self): return "no"
print(S("ab").upper(), S("ab") + "c", type(S("ab") + "c").__name__)
class L(list):
    def __getitem__(self, i): return "item"
print(L([1])[0], list(L([1])))
class F(float): pass
print(F(1.5) + 1, F("2").__class__.__name__)
