# Frames of generators and coroutines: locals, lines and identity over resumptions.
import sys


def g(a):
    b = a + 1
    c = yield b
    d = yield c
    return d


it = g(1)
f = it.gi_frame
print(f.f_code is g.__code__, f.f_locals, f.f_lineno - g.__code__.co_firstlineno, f.f_back)
next(it)
print(it.gi_frame is f, f.f_locals, f.f_lineno - g.__code__.co_firstlineno, f.f_back)
it.send("c")
print(sorted(it.gi_frame.f_locals.items()))
try:
    it.send("d")
except StopIteration as e:
    print(e.value, it.gi_frame)


def seen():
    me = sys._getframe()
    yield me
    yield sys._getframe() is me
    yield me.f_back is not None


s = seen()
me = next(s)
print(me is s.gi_frame, me.f_back, next(s), next(s), me.f_back)


async def co(x):
    y = x * 2
    await pause()


class pause:
    def __await__(self):
        yield


c = co(4)
print(c.cr_frame.f_locals, c.cr_origin)
c.send(None)
print(c.cr_frame.f_locals, c.cr_await is not None)
c.close()
print(c.cr_frame)


def inner():
    x = "inner"
    yield 1


def outer():
    y = "outer"
    yield from inner()


o = outer()
next(o)
print(o.gi_frame.f_locals, o.gi_yieldfrom.gi_frame.f_locals)
o.gi_frame.clear()
print(list(o))


def uses(n):
    k = n
    def cell():
        return k
    yield cell
    k += 1
    yield k


u = uses(5)
next(u)
print(u.gi_frame.f_locals["k"])
next(u)
print(u.gi_frame.f_locals["k"])
sys.set_coroutine_origin_tracking_depth(2)


def make():
    return co(1)


m = make()
print([(n, len(m.cr_origin)) for f, l, n in m.cr_origin])
m.close()
print(sys.get_coroutine_origin_tracking_depth(), sys.get_asyncgen_hooks())
