# Class patterns use __match_args__ and keywords.
class P:
    __match_args__ = ("x", "y")
    def __init__(self, x, y): self.x, self.y = x, y
def f(o):
    match o:
        case P(0, 0): return "origin"
        case P(x, y=0): return f"x={x}"
        case P(x=0, y=y): return f"y={y}"
        case P(): return "P"
        case int(n) | float(n): return n
        case dict(d): return len(d)
print(f(P(0, 0)), f(P(3, 0)), f(P(0, 4)), f(P(1, 2)), f(5), f(2.5), f({1: 2}), f("x"))
try:
    match P(1, 2):
        case P(1, 2, 3): pass
except TypeError as e:
    print(e)
try:
    match 1:
        case object(1): pass
except TypeError as e:
    print(e)
