# Matrix products over nested lists of ints and floats.
def mul(a, b): return [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]
def ident(n): return [[1 if i == j else 0 for j in range(n)] for i in range(n)]
a = [[(i * 7 + j * 3) % 10 for j in range(12)] for i in range(12)]
b = ident(12)
for _ in range(5): b = mul(b, a)
print(b[0][:3], sum(map(sum, b)) % 1000007, mul([[0.5, 1.5]], [[2.0], [4.0]]))
