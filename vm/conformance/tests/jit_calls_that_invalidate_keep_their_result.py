# A call that makes compiled code invalid still gives its result: a native function, and one with a trace of its own.


def popped():
    ns = {"last": 0}
    exec("def g(x):\n    return h(x) + 1\ndef h(x):\n    return x", ns)
    ns["last"] = 1
    g = ns["g"]
    other = {i: -i for i in range(1000)}
    dicts = [other] * 199 + [ns]
    total = 0
    for i in range(200):
        total += g(i)
        d = dicts[i]
        r = "old"
        r = d.popitem()
        if r == "old" or i > 197:
            print(i, r[0])
    print(total)


def h(x):
    return x


def change(n):
    for k in range(2):
        n += k
    if n == 251:
        globals()["h"] = lambda x: -x
    return n


def changed():
    total = 0
    for i in range(300):
        r = "old"
        r = change(i)
        if r != i + 1:
            print(i, r)
        total += h(i)
    print(total)


popped()
changed()
