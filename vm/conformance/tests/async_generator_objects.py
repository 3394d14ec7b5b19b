# Async generators have asend, athrow and aclose.
def run(c):
    try:
        while True: c.send(None)
    except StopIteration as e:
        return e.value
log = []
async def g():
    try:
        x = yield 1
        log.append(x)
        yield 2
    finally:
        log.append("finally")
async def main():
    a = g()
    print(type(a).__name__, await a.asend(None), await a.asend("sent"))
    await a.aclose()
    print(log)
    try:
        await a.__anext__()
    except StopAsyncIteration:
        print("stopped")
    b = g()
    await b.__anext__()
    try:
        await b.athrow(KeyError("k"))
    except KeyError as e:
        print(repr(e), log)
run(main())
