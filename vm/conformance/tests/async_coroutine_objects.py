# Coroutines are made by calls, driven by send, and closed without being run.
class Pause:
    def __await__(self):
        x = yield "paused"
        return x * 2
async def f(a):
    b = await Pause()
    return a + b
c = f(1)
print(type(c).__name__, c.__name__, c.cr_await, c.cr_running)
print(c.send(None))
try:
    c.send(21)
except StopIteration as e:
    print(e.value)
try:
    c.send(None)
except RuntimeError as e:
    print(e)
d = f(2)
d.send(None)
d.close()
e = f(3)
e.close()
print("closed")
async def bad(): await 5
try:
    bad().send(None)
except TypeError as e:
    print(e)
