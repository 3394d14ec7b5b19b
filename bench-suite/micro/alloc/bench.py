"""Allocation: objects that die at once, and objects that stay.

Short-lived tuples, vectors and lists; a binary tree that is built, summed and
dropped; a table of long-lived lists whose entries are replaced one at a time,
so that old objects point at young ones; a linked queue with a bounded length.
"""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def turned(self):
        return Point(-self.y, self.x)

    def plus(self, other):
        return Point(self.x + other.x, self.y + other.y)


class Node:
    def __init__(self, left, right, weight):
        self.left = left
        self.right = right
        self.weight = weight


class Cell:
    def __init__(self, value):
        self.value = value
        self.next = None


def short_lived(count):
    here = Point(1, 2)
    step = Point(3, 1)
    for i in range(count):
        step = step.turned()
        here = here.plus(step)
        low, high = sorted_pair(here.x, i)
        parts = [low, high, i]
        here.x = parts[i % 3] % 1000
    return here.x + here.y


def sorted_pair(a, b):
    return (a, b) if a <= b else (b, a)


def tree(depth, weight):
    if depth == 0:
        return Node(None, None, weight)
    return Node(tree(depth - 1, 2 * weight), tree(depth - 1, 2 * weight + 1), weight)


def weigh(node):
    if node is None:
        return 0
    return node.weight + weigh(node.left) - weigh(node.right)


def long_lived(count):
    table = [[i, None] for i in range(500)]
    for i in range(count):
        place = i * 7919 % 500
        entry = table[place]
        table[place] = [i, (entry[0], place)]
    total = 0
    for value, link in table:
        total += value + (link[0] - link[1] if link else 0)
    return total


def queue(count):
    head = tail = Cell(0)
    length = 1
    total = 0
    for i in range(count):
        tail.next = Cell(i)
        tail = tail.next
        length += 1
        if length > 300:
            total += head.value
            head = head.next
            length -= 1
    return total


def run(inner):
    total = short_lived(inner * 10)
    for i in range(inner // 100 + 1):
        total += weigh(tree(8, i))
    total += long_lived(inner * 8)
    total += queue(inner * 8)
    return total
