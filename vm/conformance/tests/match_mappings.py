# Mapping patterns need their keys, ** takes the rest.
def f(x):
    match x:
        case {"op": "add", "args": [a, b]}: return a + b
        case {"op": str(op), **rest}: return op, rest
        case {1: v}: return v
        case {}: return "mapping"
        case _: return "no"
for x in ({"op": "add", "args": (1, 2)}, {"op": "neg", "x": 1}, {1: "one", 2: 3}, {"z": 0}, {}, [1]):
    print(f(x))
