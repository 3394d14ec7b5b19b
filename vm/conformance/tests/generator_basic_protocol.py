# A generator yields, returns by StopIteration.value, and stays exhausted.
def g():
    x = yield 1
    print("got", x)
    y = yield 2
    print("got", y)
    return "end"
it = g()
print(next(it), it.send("a"))
try:
    it.send("b")
except StopIteration as e:
    print(e.value)
try:
    next(it)
except StopIteration as e:
    print(e.value)
it = g()
try:
    it.send(1)
except TypeError as e:
    print(e)
