"""Bodies that attract each other: floats in attributes, pairs in a list."""


class Body:
    def __init__(self, mass, x, y, z, u, v, w):
        self.mass = mass
        self.x = x
        self.y = y
        self.z = z
        self.u = u
        self.v = v
        self.w = w


def system():
    bodies = [Body(1000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
    for i in range(1, 5):
        bodies.append(Body(0.5 + i, 10.0 * i, 0.25 * i, -0.5 * i, 0.0, 10.0 / i ** 0.5, 0.125 * i))
    return bodies


def pairs_of(bodies):
    return [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]


def advance(bodies, pairs, dt, steps):
    for _ in range(steps):
        for a, b in pairs:
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            square = dx * dx + dy * dy + dz * dz
            pull = dt / (square * square ** 0.5)
            away = b.mass * pull
            a.u -= dx * away
            a.v -= dy * away
            a.w -= dz * away
            away = a.mass * pull
            b.u += dx * away
            b.v += dy * away
            b.w += dz * away
        for body in bodies:
            body.x += dt * body.u
            body.y += dt * body.v
            body.z += dt * body.w


def energy(bodies, pairs):
    total = 0.0
    for body in bodies:
        total += 0.5 * body.mass * (body.u ** 2 + body.v ** 2 + body.w ** 2)
    for a, b in pairs:
        total -= a.mass * b.mass / ((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2) ** 0.5
    return total


def run(inner):
    bodies = system()
    pairs = pairs_of(bodies)
    advance(bodies, pairs, 0.001, inner)
    return "%.9e" % energy(bodies, pairs)
