# Hot recursive functions: values, exceptions on the way, RecursionError, frames seen from inside.
import sys


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def leaf_raises(n, at):
    if n == at:
        raise KeyError(n)
    if n == 0:
        return 0
    return 1 + leaf_raises(n - 1, at)


def types_change(n):
    if n == 3:
        return 0.5
    if n == 0:
        return 10 ** 20
    return types_change(n - 1) + 1


def big(n):
    return 1 if n == 0 else n * big(n - 1)


def deep(n):
    return deep(n + 1)


def looks(n):
    if n == 0:
        frame = sys._getframe()
        seen = []
        while frame is not None and frame.f_code.co_name == "looks":
            seen.append(frame.f_locals["n"])
            frame = frame.f_back
        return seen
    return looks(n - 1)


def with_loop(n):
    total = 0
    for i in range(n):
        total += i
        if i == 3:
            total += with_loop(n - 1)
    return total


class Node:
    def __init__(self, depth):
        self.value = depth
        self.left = Node(depth - 1) if depth else None
        self.right = Node(depth - 1) if depth else None

    def weigh(self):
        if self.left is None:
            return self.value
        return self.value + self.left.weigh() - self.right.weigh() * 2


print([fib(n) for n in range(20)])
print([ackermann(2, n) for n in range(40)][-3:])
print([is_even(n) for n in range(200)].count(True))
counts = [0, 0]
for i in range(600):
    try:
        counts[0] += leaf_raises(20, i % 40)
    except KeyError as e:
        counts[1] += e.args[0]
print(counts)
print([types_change(n) for n in (1, 2, 3, 9) for _ in range(200)][::150])
print(sum(big(n) for n in range(60)) % 1000003)
for _ in range(5):
    try:
        deep(0)
    except RecursionError as e:
        print(e)
print(fib(15), looks(5), looks(70)[::10])
print([with_loop(n) for n in range(12)])
print(Node(9).weigh())


def fib(n):
    return -n


print(is_even(100), fib(30))
