# Async generators: reuse, closing while suspended, anext with a default, hooks.
import sys


def run(c):
    try:
        while True:
            print("awaits", c.send(None))
    except StopIteration as e:
        return e.value


class Pause:
    def __await__(self):
        return (yield "pause")


async def g(n=2):
    try:
        for i in range(n):
            await Pause()
            x = yield i
            if x is not None:
                print("got", x)
    except GeneratorExit:
        print("exit")
        raise


async def stubborn():
    try:
        yield 1
    except GeneratorExit:
        yield 2


async def quiet():
    await Pause()
    yield 1


async def failing():
    yield 1
    raise StopAsyncIteration


async def main():
    a = g()
    s = a.asend(None)
    print(await s)
    try:
        await s
    except RuntimeError as e:
        print(e)
    print(await a.asend("hello"))
    print(await anext(a, "default"), await anext(a, "again"))
    b = g()
    await b.__anext__()
    await b.aclose()
    await b.aclose()
    print(await anext(b, None))
    try:
        await b.__anext__()
    except StopAsyncIteration as e:
        print("ended", e.args)
    c = stubborn()
    await anext(c)
    try:
        await c.aclose()
    except RuntimeError as e:
        print(e)
    d = failing()
    await anext(d)
    try:
        await anext(d)
    except RuntimeError as e:
        print(e, repr(e.__cause__))
    e = g()
    try:
        e.asend(None).send(1)
    except TypeError as x:
        print(x)
    f = quiet()
    f.__anext__().send(None)
    try:
        f.__anext__().send(None)
    except RuntimeError as x:
        print(x)
    print(type(e.asend(1)).__name__, type(e.athrow(KeyError)).__name__)
    async for x in g(1):
        print("for", x)
    return [x async for x in g()]


print(run(main()))
try:
    anext(3)
except TypeError as e:
    print(e)
