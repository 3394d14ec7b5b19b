"""Lists of lists: a cellular automaton, a matrix product, a sieve, a table."""


def life(rows, columns, steps):
    state = 5
    cells = []
    for _ in range(rows):
        row = []
        for _ in range(columns):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            row.append(state >> 16 & 3 == 0)
        cells.append(row)
    for _ in range(steps):
        new = []
        for i in range(rows):
            up, here, down = cells[i - 1], cells[i], cells[(i + 1) % rows]
            row = []
            for j in range(columns):
                left, right = j - 1, (j + 1) % columns
                around = (
                    up[left] + up[j] + up[right] + here[left] + here[right]
                    + down[left] + down[j] + down[right]
                )
                row.append(around == 3 or (around == 2 and here[j]))
            new.append(row)
        cells = new
    return sum(sum(row) for row in cells)


def product(a, b):
    n, m, k = len(a), len(b[0]), len(b)
    out = [[0] * m for _ in range(n)]
    for i in range(n):
        row, line = out[i], a[i]
        for j in range(m):
            total = 0
            for x in range(k):
                total += line[x] * b[x][j]
            row[j] = total
    return out


def sieve(limit):
    flags = [True] * limit
    count = 0
    for i in range(2, limit):
        if flags[i]:
            count += 1
            for j in range(i * i, limit, i):
                flags[j] = False
    return count


def distance(a, b):
    before = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = 0 if x == y else 1
            row.append(min(row[j - 1] + 1, before[j] + 1, before[j - 1] + cost))
        before = row
    return before[-1]


def run(inner):
    alive = life(24, 30, inner)
    a = [[(i * j) % 7 for j in range(20)] for i in range(20)]
    for _ in range(inner // 8):
        b = product(a, a)
        a = [[v % 11 for v in row] for row in b]
    primes = sieve(inner * 600)
    apart = distance("kitten sitting on the fence" * 2, "sitting kittens off the fences" * 2)
    return "%d %d %d %d" % (alive, sum(map(sum, a)), primes, apart)
