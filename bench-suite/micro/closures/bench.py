"""Functions as values: closures, decorators, defaults, keywords, star arguments."""


def counter(start=0):
    count = start

    def bump(by=1):
        nonlocal count
        count += by
        return count

    return bump


def compose(*functions):
    def composed(value):
        for function in functions:
            value = function(value)
        return value

    return composed


def memo(function):
    known = {}

    def wrapper(*args):
        if args not in known:
            known[args] = function(*args)
        return known[args]

    return wrapper


@memo
def paths(x, y):
    if x == 0 or y == 0:
        return 1
    return paths(x - 1, y) + paths(x, y - 1)


def area(width, height=2, *, scale=1, offset=0):
    return width * height * scale + offset


def spread(first, *rest, **named):
    return first + len(rest) + len(named)


def fold(function, values, start):
    for value in values:
        start = function(start, value)
    return start


def run(inner):
    bump = counter()
    change = compose(lambda v: v + 1, lambda v: v * 3, lambda v: v % 1009)
    adders = [lambda v, k=k: v + k for k in range(5)]
    total = 0
    for i in range(inner):
        bump()
        total += change(i) + bump(by=2)
        total += area(i) + area(i, 3) + area(height=4, width=i) + area(1, scale=3, offset=i)
        total += spread(i, 1, 2) + spread(*(i, 2)) + spread(i, a=1, **{"b": 2})
        total += adders[i % 5](i)
        total += paths(i % 12, i % 9)
        total += fold(lambda a, b: a + b, (1, 2, 3), i)
    return total
