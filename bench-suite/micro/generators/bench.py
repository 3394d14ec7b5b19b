"""Generators: pipelines, recursion by `yield from`, and `send`.

A stream of readings is filtered, scaled and summed over a window; a tree is
walked by nested generators; a coroutine-style average is fed by `send`; and
generator expressions are consumed by builtins.
"""


def readings(count):
    state = 1
    for i in range(count):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        yield i, state >> 8


def plausible(source):
    for index, value in source:
        if value % 7:
            yield index, value


def scaled(source, factor):
    for index, value in source:
        yield index * factor + value % 1000


def windows(source, size):
    window = []
    total = 0
    for value in source:
        window.append(value)
        total += value
        if len(window) > size:
            total -= window[len(window) - size - 1]
            yield total
        if len(window) > 64:
            del window[:-size]


def grow(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return grow(low, middle), middle, grow(middle + 1, high)


def walk(tree):
    if tree is not None:
        left, value, right = tree
        yield from walk(left)
        yield value
        yield from walk(right)


def averager():
    total = 0
    count = 0
    average = 0
    while True:
        value = yield average
        total += value
        count += 1
        average = total // count


def zigzag(low, high):
    while True:
        for value in range(low, high):
            yield value
        for value in range(high, low, -1):
            yield value


def run(inner):
    total = 0
    for value in windows(scaled(plausible(readings(inner * 8)), 3), 5):
        total = (total * 31 + value) % 1000000007

    tree = grow(0, 200)
    for i in range(inner // 40 + 1):
        for value in walk(tree):
            total += value ^ i

    average = averager()
    next(average)
    for value in zigzag(3, 40):
        total += average.send(value)
        if value == 39:
            inner -= 25
            if inner <= 0:
                break
    average.close()

    total += sum(i * i for i in range(2000) if i & 3)
    total += max((i * 37 % 1009 for i in range(2000)))
    return total
