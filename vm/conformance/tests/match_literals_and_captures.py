# Literal, capture, wildcard, or-patterns and guards.
def f(x):
    match x:
        case 0 | 1: return "small"
        case -5: return "minus five"
        case "a" | b"a": return "a"
        case None | True: return "single"
        case 1.5 | 2+3j: return "number"
        case int(n) if n > 100: return f"big {n}"
        case str() as s: return "str " + s
        case [] | (): return "empty"
        case _: return "other"
print([f(x) for x in (0, 1, True, -5, "a", b"a", None, False, 1.5, 2+3j, 200, 50, "z", [], (), {})])
