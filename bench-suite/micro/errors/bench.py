"""Exceptions raised and caught, `with`, `finally`, and lookups that fail."""


class Odd(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Guard:
    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log[0] += 1
        return self

    def __exit__(self, kind, value, trace):
        self.log[1] += 1
        return kind is not None and issubclass(kind, KeyError)


def check(value):
    if value % 5 == 3:
        raise Odd(value)
    return value


def tries(count):
    total = 0
    for i in range(count):
        try:
            total += check(i)
        except Odd as problem:
            total -= problem.value
        finally:
            total += 1
    return total


def missing(count):
    table = {i: i for i in range(0, 100, 3)}
    found = 0
    for i in range(count):
        try:
            found += table[i % 100]
        except KeyError:
            found += 1
    return found


def managed(count):
    log = [0, 0]
    guard = Guard(log)
    total = 0
    for i in range(count):
        with guard:
            total += i
            if i % 7 == 0:
                raise KeyError(i)
    return total + log[0] + log[1]


def deep(depth):
    if depth == 0:
        raise ValueError("bottom")
    return deep(depth - 1) + 1


def unwinds(count):
    total = 0
    for i in range(count):
        try:
            deep(i % 10)
        except (TypeError, ValueError) as problem:
            total += len(problem.args)
    return total


def run(inner):
    return tries(inner) + missing(inner) + managed(inner) + unwinds(inner // 10)
