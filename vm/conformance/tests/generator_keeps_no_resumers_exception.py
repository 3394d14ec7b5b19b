# What its resumer handles is visible inside a generator, but not kept by it.
import sys


def g():
    yield sys.exc_info()[0]
    try:
        raise ValueError
    except ValueError:
        yield sys.exc_info()[0]
    yield sys.exc_info()[0]
    yield sys.exc_info()[0]


def outside(gen):
    return next(gen)


for way in (next, outside):
    gen = g()
    seen = []
    try:
        raise IndexError
    except IndexError:
        seen.append(way(gen))
        seen.append(way(gen))
    seen.append(way(gen))
    try:
        raise KeyError
    except KeyError:
        seen.append(way(gen))
    print(seen, sys.exc_info()[0])

gen = g()
seen = []
try:
    raise IndexError
except IndexError:
    for x in gen:
        seen.append(x)
        if len(seen) == 2:
            break
for x in gen:
    seen.append(x)
print(seen)


def delegating():
    try:
        raise OSError
    except OSError:
        yield from g()
    yield sys.exc_info()[0]


try:
    raise LookupError
except LookupError:
    d = delegating()
    print([next(d), next(d)])
print(list(d))


def hot(n):
    total = 0
    for i in range(n):
        def gen():
            try:
                raise ValueError(i)
            except ValueError as e:
                yield e.args[0]
            yield sys.exc_info()[0] is None
        a, b = gen()
        total += a + b
    return total


print(hot(300))
