# Attributes of classes and modules, super(), isinstance: each sees a change at once.
import types

m = types.ModuleType("m")
m.x = 1
m.f = lambda v: v + 1


class Base:
    k = 1

    def go(self):
        return 1

    def name(self):
        return "base"


class Mid(Base):
    def go(self):
        return super().go() + 10


class Leaf(Mid):
    def go(self):
        return super().go() + 100


def run(n):
    o = Leaf()
    t = 0
    for i in range(n):
        t += m.x + m.f(i) + Leaf.k + o.go()
        if isinstance(o, Base):
            t += 1
        if isinstance(o, (int, Mid)):
            t += 1
        if isinstance(i, str):
            t += 1000
        if i == 1000:
            m.x = 50
        if i == 1100:
            m.f = lambda v: 0
        if i == 1200:
            Base.k = 9
        if i == 1300:
            Base.go = lambda self: -5
        if i == 1400:
            Mid.k = 4
        if i == 1500:
            m.y = 3
        if i == 1600:
            o.__class__ = Mid
        if i == 1700:
            Mid.__bases__ = (Other,)
    return t


class Other(Base):
    def go(self):
        return 7


print(run(2000))
del m.x
try:
    run(1)
except AttributeError as e:
    print(e)


class Claims:
    @property
    def __class__(self):
        return int


def claims(n):
    c = Claims()
    t = 0
    for i in range(n):
        t += isinstance(c, int) + isinstance(c, str)
    return t


print(claims(1500))


class Meta(type):
    @property
    def shown(cls):
        return cls.__name__

    def __instancecheck__(cls, v):
        return v == 3


class WithMeta(metaclass=Meta):
    pass


print([WithMeta.shown for _ in range(2)], [isinstance(v, WithMeta) for v in (1, 3)] * 2)


def many_shapes(n):
    classes = [type("C%d" % i, (Base,), {"v": i}) for i in range(150)]
    objects = [c() for c in classes]
    for i, o in enumerate(objects):
        for j in range(i % 7):
            setattr(o, "a%d" % j, j)
        o.w = i
    t = 0
    for i in range(n):
        o = objects[i % 150]
        t += o.v + o.w + o.go()
        o.w = i
        if i == 2000:
            classes[5].v = 70
    return t


print(many_shapes(4000))
