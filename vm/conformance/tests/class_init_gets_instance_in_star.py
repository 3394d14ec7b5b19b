# An instance reaches an __init__ whose only positional parameter is a star, in loops that are compiled too.
class A:
    def __init__(*args, k=1):
        self, *rest = args
        self.v = (rest, k)
class B:
    def __init__(*args, **kw):
        self = args[0]
        self.v = (args[1:], sorted(kw.items()))
class C:
    def f(*args): return type(args[0]).__name__, args[1:]
def run(n):
    out = None
    c = C()
    m = c.f
    for i in range(n):
        out = (A(i).v, A(i, k=2).v, A().v, B(1, x=i).v, B().v, c.f(i), m(i, 2), B(*(i, 1)).v)
    return out
print(run(3), run(2000))
