# List appends, pops, inserts and slice assignments in a hot loop.
def f(n):
    l = []
    t = 0
    for i in range(n):
        l.append(i)
        if i % 3 == 2: t += l.pop()
        if i % 10 == 9: t += l.pop(0)
        if i % 50 == 49: l[2:5] = [i]; l.insert(1, -i)
        if i % 100 == 99: del l[:len(l) // 2]
        t += l[-1] + l[len(l) // 2]
    return t, len(l), sum(l)
print(f(1000))
