# Pattern matching in a hot loop over changing shapes.
def f(n):
    t = [0, 0, 0, 0]
    for i in range(n):
        k = i % 4
        x = i if k == 0 else [i, 1] if k == 1 else {"v": i} if k == 2 else None
        match x:
            case int(v): t[0] += v
            case [v, w]: t[1] += v * w
            case {"v": v}: t[2] += v
            case _: t[3] += 1
    return t
print(f(1000))
