# Members of __slots__: unset ones raise, deleted ones too, subclasses add a dict.
class S:
    __slots__ = ("a", "b")


class D(S):
    def __init__(self):
        self.a = 1
        self.c = 2


def total(objects, n):
    t = 0
    for i in range(n):
        o = objects[i % len(objects)]
        t += o.a
        o.a = i & 7
    return t


s = S()
s.a = 5
d = D()
print(total([s], 2000), total([s, d], 2000), d.c, d.__dict__)
del s.a
for o in (s, S()):
    try:
        total([d, o], 10)
    except AttributeError as e:
        print(e)
try:
    s.z = 1
except AttributeError as e:
    print(e)


def keep(n):
    s = S()
    for i in range(n):
        s.b = [i]
        if i % 100 == 0:
            junk = [[j] for j in range(50)]
    return s.b


print(keep(3000))
