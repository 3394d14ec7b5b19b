# A module global that a hot loop reads may be changed by a function it calls.
K = 1
def bump(i):
    global K
    if i % 100 == 99: K += 1
def f(n):
    t = 0
    for i in range(n):
        t += K
        bump(i)
    return t
print(f(1000), K)
