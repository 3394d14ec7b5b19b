# Millions of short-lived objects among live ones keep every live value intact.
class P:
    def __init__(self, x, n): self.x, self.n = x, n
def f(n):
    head = None
    total = 0
    for i in range(n):
        p = P(i, head if i % 50 else None)
        head = p
        t = (i, [i, str(i)], {"k": i})
        total += t[1][0] + len(t[1][1]) + t[2]["k"]
    while head:
        total += head.x
        head = head.n
    return total
print(f(20000))
