"""Floating-point arithmetic in nested loops.

Escape counts of the Mandelbrot set, a planet on a leapfrog orbit and a
polynomial by Horner's rule.  Every operation is an IEEE one with a single
right answer, so the result is the same everywhere.
"""


def escape_counts(size, limit):
    total = 0
    for row in range(size):
        cy = 2.0 * row / size - 1.0
        for column in range(size):
            cx = 3.0 * column / size - 2.0
            x = y = 0.0
            count = 0
            while count < limit:
                xx = x * x
                yy = y * y
                if xx + yy > 4.0:
                    break
                y = 2.0 * x * y + cy
                x = xx - yy + cx
                count += 1
            total += count
    return total


def orbit(steps, dt):
    x, y = 1.0, 0.0
    vx, vy = 0.0, 1.1
    crossings = 0
    for _ in range(steps):
        r2 = x * x + y * y
        pull = -dt / (r2 * r2 ** 0.5)
        vx += pull * x
        vy += pull * y
        before = y
        x += dt * vx
        y += dt * vy
        if before < 0.0 <= y:
            crossings += 1
    return crossings, x, y


def horner(steps):
    total = 0.0
    for i in range(steps):
        t = i / steps
        total += ((((0.5 * t - 1.25) * t + 3.0) * t - 0.75) * t + 0.1) / steps
    return total


def run(inner):
    counts = escape_counts(inner, 80)
    crossings, x, y = orbit(inner * 150, 0.01)
    area = horner(inner * 150)
    return "%d/%d/%.9f/%.9f/%.12f" % (counts, crossings, x, y, area)
