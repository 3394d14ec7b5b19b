# async for, async with and async comprehensions drive their protocols.
def run(c):
    try:
        while True: c.send(None)
    except StopIteration as e:
        return e.value
class AM:
    async def __aenter__(self): print("enter"); return 1
    async def __aexit__(self, *a): print("exit", a[0]); return True
class AI:
    def __init__(self, n): self.n = n
    def __aiter__(self): return self
    async def __anext__(self):
        if not self.n: raise StopAsyncIteration
        self.n -= 1
        return self.n
async def agen():
    for i in range(3):
        yield i
async def main():
    async with AM() as x:
        raise ValueError(x)
    async for i in AI(3): print(i)
    else: print("else")
    return [i async for i in agen() if i], {i: i async for i in AI(2)}, [await one(i) for i in range(2)]
async def one(i): return i + 10
print(run(main()))
