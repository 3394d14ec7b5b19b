# An inner loop that goes round once or twice, or not at all, inside a hot one.
def triangles(limit):
    found = 0
    for a in range(1, limit):
        c = a + 1
        for b in range(a, limit):
            square = a * a + b * b
            while c * c < square:
                c += 1
            if c > limit:
                break
            if c * c == square:
                found += 1
    return found


def ragged(n):
    total = 0
    for i in range(n):
        k = (i * 7 % 5) * (i % 3)
        while k > 0:
            k -= 1
            if k == 5:
                continue
            total += k
        for x in (i, -i)[: i % 3]:
            total ^= x
    return total


print(triangles(120))
print([ragged(n) for n in (1, 10, 150, 3000)])
