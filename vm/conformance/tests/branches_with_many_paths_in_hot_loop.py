# A loop with eight paths, chosen by a pseudo-random number.
def f(n):
    x = 1
    c = [0] * 8
    for i in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        b = x >> 29
        if b == 0: c[0] += 1
        elif b == 1: c[1] += x & 1
        elif b == 2: c[2] -= 1
        elif b < 5: c[b] += i
        elif b == 5 and i % 2: c[5] += 3
        elif not b % 2: c[6] ^= x
        else: c[7] = (c[7] * 31 + x) % 1000003
    return c
print(f(5000))
