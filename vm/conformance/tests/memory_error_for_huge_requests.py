# A request that no machine can fulfil raises MemoryError, in hot loops too, and the program goes on.
def huge(i):
    n = 10 ** 13 + i
    return (lambda: [0] * n, lambda: (0,) * n, lambda: "a" * n, lambda: b"a" * n, lambda: bytes(n),
            lambda: bytearray(n), lambda: "x".ljust(n), lambda: b"x".center(n), lambda: "7".zfill(n))[i % 9]
def f(rounds):
    caught = 0
    for i in range(rounds):
        try:
            huge(i)()
        except MemoryError:
            caught += 1
    return caught
print(f(900))
a = [1]
try:
    a *= 10 ** 14
except MemoryError as e:
    print(type(e).__name__, a)
