# Dotted names compare; captures stay bound after the match.
class Color:
    RED = 1
    BLUE = 2
def f(c):
    match c:
        case Color.RED: return "red"
        case Color.BLUE: return "blue"
        case other: pass
    return other
print(f(1), f(2), f(3))
match (1, (2, 3)):
    case (a, (2, 4)): pass
    case (a, (2, b)) if b > 5: pass
    case (a, (2, b) as inner): print(a, b, inner)
print(a, b)
