# throw() into a generator that delegates leaves the chain of frames in place, and calls an iterator's throw().
import sys
import types


def depth():
    f, n = sys._getframe(1), 0
    while f:
        n += 1
        f = f.f_back
    return n


def names():
    f, all_ = sys._getframe(1), []
    while f and f.f_code.co_name != "<module>":
        all_.append(f.f_code.co_name)
        f = f.f_back
    return all_


def inner():
    while True:
        try:
            yield names()
        except ZeroDivisionError as e:
            yield "caught", names(), type(e.__context__)
        except KeyError:
            return "returned"


def middle():
    got = yield from inner()
    yield "middle got", got


def outer():
    try:
        yield from middle()
    except ValueError as e:
        yield "outer", names()


g = outer()
print(next(g))
print(g.throw(ZeroDivisionError))
print(next(g))
print(g.throw(KeyError))
print(g.throw(ValueError("x")))
try:
    g.throw(TypeError("out"))
except TypeError as e:
    print(e, e.__traceback__.tb_next.tb_frame.f_code.co_name)
print(g.gi_frame)

g = outer()
next(g)
try:
    g.throw(TypeError("through"))
except TypeError as e:
    t, seen = e.__traceback__, []
    while t:
        seen.append((t.tb_frame.f_code.co_name, t.tb_lineno))
        t = t.tb_next
    print(seen)


class Iterator:
    def __init__(self):
        self.log = []

    def __iter__(self):
        return self

    def __next__(self):
        return len(self.log)

    def throw(self, e):
        self.log.append(repr(e))
        if isinstance(e, KeyError):
            raise StopIteration("value")
        if isinstance(e, IndexError):
            raise LookupError("other") from e
        return "thrown", depth() > 1


def over(it):
    try:
        result = yield from it
    except LookupError as e:
        result = repr(e), repr(e.__cause__)
    yield result


for e in (ValueError(1), KeyError(2), IndexError(3)):
    it = Iterator()
    g = over(it)
    next(g)
    print(g.throw(e), it.log)


class Plain:
    def __iter__(self):
        return self

    def __next__(self):
        return 1


def without():
    try:
        yield from Plain()
    except OSError as e:
        yield repr(e)


g = without()
next(g)
print(g.throw(OSError("here")))


class Broken(Plain):
    def __getattr__(self, name):
        1 / 0


def over_broken():
    yield from Broken()


g = over_broken()
next(g)
try:
    g.throw(OSError)
except ZeroDivisionError as e:
    print("broken:", e)


# Coroutines, and one that is thrown into before it started.
@types.coroutine
def wait():
    try:
        yield depth()
    except ZeroDivisionError:
        yield depth()


async def b():
    return await wait()


async def a():
    return await b()


c = a()
print(c.send(None) == c.throw(ZeroDivisionError))
c.close()


async def never():
    print("does not run")


c = never()
try:
    c.throw(ValueError("early"))
except ValueError as e:
    print(e, c.cr_frame)


class NotAnException(Exception):
    def __new__(cls, *args):
        return cls


def catches():
    try:
        yield
    except TypeError as e:
        yield str(e)


g = catches()
next(g)
print(g.throw(NotAnException))

coro = a()
coro.send(None)


async def waiter():
    await coro


w = waiter()
try:
    w.send(None)
except RuntimeError as e:
    print(e)
coro.close()


class Bad:
    def __aiter__(self):
        return self

    def __anext__(self):
        return self

    def __await__(self):
        1 / 0


async def loop():
    async for _ in Bad():
        pass


try:
    loop().send(None)
except TypeError as e:
    print(e, repr(e.__cause__))


def clears():
    try:
        yield 1
    finally:
        print("closed by clear()")


g = clears()
next(g)
g.gi_frame.clear()
print(g.gi_frame)
f = lambda: (yield 1)
g = f()
next(g)
try:
    g.send("sent")
except StopIteration as e:
    print(e.value)
