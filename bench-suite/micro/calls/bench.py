"""Function calls: recursion and small helpers.

Doubly recursive and triply recursive functions, mutual recursion, a
backtracking search, and a loop over helpers with defaults, keywords, closures
and a bound method.
"""


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def tak(x, y, z):
    if y >= x:
        return z
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def place_queens(size, row, columns, rising, falling):
    """Number of ways to fill the rows from `row` on, by bit sets."""
    if row == size:
        return 1
    found = 0
    free = ((1 << size) - 1) & ~(columns | rising | falling)
    while free:
        spot = free & -free
        free ^= spot
        found += place_queens(
            size, row + 1, columns | spot, (rising | spot) << 1, (falling | spot) >> 1
        )
    return found


def clamp(value, low=0, high=1000):
    if value < low:
        return low
    if value > high:
        return high
    return value


def blend(a, b, *, weight=3):
    return (a * weight + b) // (weight + 1)


def adder(step):
    def add(value):
        return value + step

    return add


class Tally:
    def __init__(self):
        self.count = 0

    def hit(self, value):
        self.count += value & 1
        return self.count


def helpers(rounds):
    plus_seven = adder(7)
    tally = Tally()
    hit = tally.hit
    value = 0
    for i in range(rounds):
        value = clamp(plus_seven(value) - i % 19)
        value = blend(value, clamp(i, high=500), weight=1 + i % 4)
        hit(value)
    return value + tally.count


def run(inner):
    total = 0
    for i in range(inner):
        total += fib(16) + tak(9, 5, 2)
        total += place_queens(5, 0, 0, 0, 0)
        total += is_even(60 + i % 2)
        total += helpers(400)
    return total
