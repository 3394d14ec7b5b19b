"""Integer arithmetic in nested loops.

A checksum over pseudo-random numbers whose products pass 50 bits before they
are reduced, powers modulo a prime, counting right-angled triangles, Euclid's
algorithm and Collatz paths: long even loops first, then loops whose length and
branches depend on the data.
"""

PRIME = 2147483647


def checksum(count):
    state = 20170906
    low = 1
    high = 0
    for i in range(count):
        state = (state * 2862933 + 3037000493) & 0xFFFFFFFF
        low = (low + (state >> 13) + i) % 65521
        high = (high ^ low) + (state & 15)
        if state & 1024:
            high -= low >> 3
    return high * 65536 + low


def powers(count):
    """Sum of i to the power i modulo a prime, by squaring."""
    total = 0
    for i in range(2, count):
        base = i
        exponent = i
        result = 1
        while exponent:
            if exponent & 1:
                result = result * base % PRIME
            base = base * base % PRIME
            exponent >>= 1
        total += result
    return total


def triangles(limit):
    """Right-angled triangles with whole sides and hypotenuse up to `limit`."""
    found = 0
    for a in range(1, limit):
        c = a + 1
        for b in range(a, limit):
            square = a * a + b * b
            while c * c < square:
                c += 1
            if c > limit:
                break
            if c * c == square:
                found += 1
    return found


def divisors(count):
    total = 0
    for i in range(1, count):
        a, b = i * 5040, i * i + 96
        while b:
            a, b = b, a % b
        total += a
    return total


def paths(count):
    longest = 0
    for start in range(1, count):
        n = start
        steps = 0
        while n != 1:
            if n & 1:
                n = 3 * n + 1
            else:
                n >>= 1
            steps += 1
        if steps > longest:
            longest = steps
    return longest


def run(inner):
    return "%d/%d/%d/%d/%d" % (
        checksum(inner * 40),
        powers(inner * 2),
        triangles(inner // 4),
        divisors(inner),
        paths(inner // 2),
    )
