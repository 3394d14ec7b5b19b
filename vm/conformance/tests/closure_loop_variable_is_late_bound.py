# A closure sees the variable's last value, not the value when it was made.
fs = [lambda: i for i in range(3)]
print([f() for f in fs])
gs = [lambda i=i: i for i in range(3)]
print([g() for g in gs])
def make():
    out = []
    for j in range(3):
        out.append(lambda: j)
    j = 99
    return out
print([f() for f in make()])
