# Comparisons fall back to the reflected method, and == to identity.
class C:
    def __init__(self, v): self.v = v
    def __eq__(self, o): return self.v == o.v if isinstance(o, C) else NotImplemented
    def __lt__(self, o): return self.v < o.v
    def __repr__(self): return f"C{self.v}"
print(C(1) == C(1), C(1) != C(2), C(1) == 1, C(1) < C(2), C(1) > C(2), sorted([C(3), C(1)]))
try:
    C(1) <= C(2)
except TypeError as e:
    print(e)
try:
    {C(1)}
except TypeError as e:
    print(e)
print(object() == object(), 1 < 2 < 3, 1 < 3 < 2)
for f in [lambda: 1 < "a", lambda: [] < 1, lambda: None >= None, lambda: 1j < 2j]:
    try:
        f()
    except TypeError as e:
        print(e)
