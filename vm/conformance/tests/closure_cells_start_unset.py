# A variable that a nested scope uses is unset when its function begins, whatever lay in its register before.
def fill(*args, **kw):
    a = b = c = d = e = f = g = h = i = j = k = l = fill
    return [a, b, c, d, e, f, g, h, i, j, k, l]


def leaf(a, b, c, d, e):
    return [a, b, c, d, e, fill(a, b, c)]


def own():
    one, two, three = 1, 2, 3
    for x in (x + z for z in range(2)):
        pass
    return one, two, three


def direct():
    one, two = 1, 2
    y = w
    return [w for _ in range(2)], [(w := two), one, y]


for function in own, direct:
    for turn in range(3):
        leaf(fill, leaf, fill, leaf, fill)
        try:
            function()
        except NameError as error:
            print(type(error).__name__, error)
