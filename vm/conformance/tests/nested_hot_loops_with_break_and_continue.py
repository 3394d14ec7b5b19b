# Inner loops of changing length with break, continue and else.
def f(n):
    t = 0
    for i in range(n):
        for j in range(i % 13):
            if j == 7: continue
            if i % 5 == 4 and j > 3: break
            t += j
        else:
            t += 1000
        k = i
        while k > 0:
            k //= 2
            if k % 3 == 1: continue
            t += k & 1
    return t
print(f(500))
