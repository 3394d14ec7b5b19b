# Shifts and masks that cross 32, 50 and 64 bits.
def f(n):
    h = 0
    for i in range(n):
        h = (h << 5) ^ (h >> 27) ^ i
        h &= (1 << (20 + i % 50)) - 1
        h |= i & ~7
        h ^= -i & 0xFF
    return h
print(f(2000))
