# __slots__ gives fixed attributes and no __dict__.
class P:
    __slots__ = ("x", "y")
    def __init__(self, x): self.x = x
p = P(1)
print(p.x, hasattr(p, "__dict__"), P.x.__class__.__name__)
try:
    p.y
except AttributeError as e:
    print(e)
try:
    p.z = 1
except AttributeError as e:
    print(e)
del p.x
print(hasattr(p, "x"))
class Q(P):
    __slots__ = ("z",)
q = Q(5)
q.z = 6
print(q.x, q.z, Q.__slots__)
class R(P): pass
r = R(1)
r.other = 2
print(r.__dict__)
try:
    class S:
        __slots__ = ("a",)
        a = 1
except ValueError as e:
    print(e)
