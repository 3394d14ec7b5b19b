# del of a local in a hot loop makes the next read fail.
def f(n):
    c = 0
    for i in range(n):
        x = i
        if i % 10 == 9: del x
        try:
            c += x
        except UnboundLocalError:
            c -= 1000
    return c
print(f(300))
