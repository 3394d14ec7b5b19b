# A loop variable goes from int to float to big int to text to list.
def add(a, b): return a + b
def f(n):
    out = []
    for start, step in ((0, 1), (0.0, 0.5), (2 ** 60, 2 ** 58), ("", "x"), ([], [1]), (0, 1), ((), (2,)), (1j, 1)):
        t = start
        for i in range(n):
            t = add(t, step)
        out.append(t if isinstance(t, (int, float, complex)) else len(t))
    return out
print(f(150))
