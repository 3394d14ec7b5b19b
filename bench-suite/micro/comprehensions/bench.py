"""Comprehensions, generator expressions and the built-ins that eat them."""


def run(inner):
    total = 0
    for n in range(inner):
        squares = [x * x for x in range(40)]
        even = [x for x in squares if x % 2 == 0]
        table = {x: x + n for x in range(25)}
        swapped = {v: k for k, v in table.items() if k & 1}
        kinds = {x % 7 for x in squares}
        pairs = [(a, b) for a in range(6) for b in range(a)]
        rows = [[i * j for j in range(5)] for i in range(5)]
        total += sum(x + 1 for x in even) + len(swapped) + len(kinds)
        total += sum(a * b for a, b in pairs) + max(map(sum, rows))
        total += sum(a * b for a, b in zip(squares, range(20)))
        total += any(x > 1000 for x in squares) + all(x >= 0 for x in squares)
        for i, x in enumerate(even):
            total += i ^ x
        total += len("".join(str(x) for x in range(10)))
        total += min(x for x in reversed(squares)) + len([x for x in filter(None, kinds)])
    return total
