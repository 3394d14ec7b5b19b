# yield from delegates next, send, throw and hands back the return value.
def inner():
    got = []
    while True:
        try:
            x = yield len(got)
        except ValueError as e:
            got.append(str(e))
            continue
        if x is None:
            return got
        got.append(x)
def outer():
    result = yield from inner()
    yield ("result", result)
    yield from [1, 2]
o = outer()
print(next(o), o.send("a"), o.throw(ValueError("v")), o.send("b"), next(o), list(o))
class It:
    def __iter__(self): return iter((7, 8))
def d():
    yield from It()
print(list(d()))
