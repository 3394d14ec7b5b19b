# Long-lived containers whose entries are replaced in a hot loop keep the new values.
class Box: pass
def f(n):
    table = [[i] for i in range(100)]
    boxes = [Box() for _ in range(10)]
    d = {}
    for i in range(n):
        table[i % 100] = [i, table[(i * 7) % 100][0]]
        boxes[i % 10].v = (i, str(i))
        d[i % 50] = [i]
    return sum(t[0] - t[1] for t in table), sum(b.v[0] + len(b.v[1]) for b in boxes), sum(v[0] for v in d.values())
print(f(20000))
