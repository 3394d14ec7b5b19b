# Types, functions and modules print in CPython's form.
import sys
class C:
    def m(self): pass
    class Inner: pass
def f(): pass
def strip(s):
    i = s.find(" at 0x")
    return s if i < 0 else s[:i] + ">"
print(int, C, C.Inner, type(None), type(...), len, [].append.__name__, strip(repr(f)), strip(repr(C.m)), strip(repr(C())), strip(repr(lambda: 0)), sys.__class__, NotImplemented, ..., slice(1), range(3), type(f), type(len), type([].append), type(C.m), type(C().m), str.upper, [].__add__.__class__, int.__add__.__class__)
print(type(iter([])), type(iter(())), type(iter({})), type(iter("")), type({}.keys()), type(x for x in ()), type(zip()), type(enumerate([])), property, super, object, type, frozenset, BaseException)
