# A global deleted mid-loop raises NameError at the next read.
G = 5
def f(n):
    t = 0
    for i in range(n):
        t += G
        if i == n - 2: del globals()["G"]
    return t
try:
    f(300)
except NameError as e:
    print(e)
G = 6
print(f(0), G)
