# A collection asked for finds all that nothing refers to, whatever calls before it left behind.
import gc
import weakref


class C:
    def method(self):
        return self

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return 7


def returned():
    c = C()
    r = weakref.ref(c)
    assert r() is c
    del c
    gc.collect()
    return r()


def compared():
    c = C()
    r = weakref.ref(c)
    assert r() == c and c.method().method() == c
    c = None
    gc.collect()
    return r()


def made_elsewhere():
    def make():
        return weakref.ref(C())

    r = make()
    gc.collect()
    return r()


def of_local_class():
    class D:
        pass

    d = D()
    d.self = d
    r = weakref.ref(d)
    repr(d), str(d), isinstance(d, D), hash(d)
    del d
    gc.collect()
    return r()


def in_arguments():
    c = C()
    r = weakref.ref(c)
    n = len(str([c, 1])) + len(list([c, 1]))
    d = {1: c}.get(1)
    del c, n, d
    gc.collect()
    return r()


def in_cycle_of_iterator():
    c = C()
    r = weakref.ref(c)
    s = {c, 1}
    c.it = iter(s)
    del c, s
    gc.collect()
    return r()


def with_callback():
    log = []
    c = C()
    r = weakref.ref(c, log.append)
    p = weakref.proxy(c, log.append)
    m = weakref.WeakMethod(c.method)
    assert p.method() is c and m()() is c
    del c
    gc.collect()
    return r(), m(), len(log)


def resurrected():
    kept = []

    class D:
        def __del__(self):
            kept.append(self)

    D()
    gc.collect()
    return len(kept)


for f in (returned, compared, made_elsewhere, of_local_class, in_arguments, in_cycle_of_iterator, with_callback, resurrected):
    print(f.__name__, f())
