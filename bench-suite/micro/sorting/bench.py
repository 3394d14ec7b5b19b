"""Sorting: the built-in one with keys, and hand-written ones on lists."""


def numbers(count):
    state = 12
    out = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 8)
    return out


def quick(values, low, high):
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        quick(values, low, j)
        low = i


def heap_down(heap, at, size):
    value = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


def heap_sort(values):
    n = len(values)
    for i in range(n // 2 - 1, -1, -1):
        heap_down(values, i, n)
    for end in range(n - 1, 0, -1):
        values[0], values[end] = values[end], values[0]
        heap_down(values, 0, end)


def run(inner):
    values = numbers(inner)
    first = sorted(values, key=lambda v: (v & 15, -v))
    second = list(values)
    quick(second, 0, len(second) - 1)
    third = list(values)
    heap_sort(third)
    pairs = sorted((v % 100, i) for i, v in enumerate(values))
    names = sorted(["n%d" % v for v in values[:inner // 4]], key=str.lower, reverse=True)
    assert second == third == sorted(values)
    return "%d %d %d %s" % (first[inner // 2], second[inner // 3], pairs[inner // 5][1], names[3])
