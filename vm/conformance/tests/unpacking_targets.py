# Star targets take the rest; nested targets unpack in order.
a, *b, c = range(5)
print(a, b, c)
*a, = "xy"
print(a)
(a, [b, *c]), d = (1, (2, 3, 4)), 5
print(a, b, c, d)
for i, (j, *k) in [(1, (2,)), (3, (4, 5, 6))]:
    print(i, j, k)
a, b = b, a
print(a, b)
for text in ("a, b = 1, 2, 3", "a, b = (1,)", "a, *b, c = (1,)", "a, b = 5", "(a, b), c = 1, 2"):
    try:
        exec(text)
    except (TypeError, ValueError) as e:
        print(e)
x = [0, 1]
i = 0
i, x[i] = 1, 9
print(i, x)
