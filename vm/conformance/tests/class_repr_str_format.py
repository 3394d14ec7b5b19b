# repr, str and format use their methods with the usual fallbacks.
class C:
    def __repr__(self): return "R"
class D(C):
    def __str__(self): return "S"
    def __format__(self, spec): return f"F[{spec}]"
print(str(C()), repr(C()), f"{C()}", [C()], str(D()), f"{D():abc} {D()!r} {D()!s}", format(D()))
class B:
    def __repr__(self): return 1
try:
    repr(B())
except TypeError as e:
    print(e)
try:
    format(C(), "x")
except TypeError as e:
    print(e)
