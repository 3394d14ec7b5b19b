# send in a hot loop, with a throw in the middle.
def acc():
    t = 0
    while True:
        try:
            x = yield t
            t += x
        except ValueError:
            t = -t
def f(n):
    a = acc()
    next(a)
    for i in range(n):
        r = a.send(i)
        if i == n // 2: a.throw(ValueError)
    return r
print(f(1000))
