# Tuples find what equal tuples stored, whether or not comparing them takes Python code; functions made in a loop keep their defaults.
class E:
    def __init__(s, n): s.n = n
    def __hash__(s): return hash(s.n)
    def __eq__(s, o): return isinstance(o, E) and s.n == o.n
def run(n):
    d, s, hits = {}, set(), 0
    e = {}
    for i in range(n):
        k = (i % 50, i % 7)
        if k in d: hits += 1
        d[k] = d.get(k, 0) + 1
        s.add((k, "x"))
        if ((i % 50, i % 7), "x") in s: hits += 1
        hits += d[(i % 50, i % 7)]
        ek = (E(i % 5), i % 3)
        e[ek] = e.get(ek, 0) + 1
        if (E(i % 5), i % 3) in e: hits += 1
        d.setdefault((i % 10, "q", (1, 2.5)), i)
        f = lambda a, b=i, *, c=k: (a, b, c)
        g = lambda x: x + i
        hits += f(1)[1] + f(2, 3)[1] + g(2) + len(f(1, c=(2,))[2])
    return hits, len(d), len(s), len(e), sorted(d.items(), key=repr)[:5]
print(run(10), run(1500))
try: {}[([],)]
except TypeError as x: print(x)


def bad(n):
    r = []
    for i in range(n):
        try: {(1, i): 2}[(1, [])]
        except TypeError as x: r.append(str(x))
        try: {(1, i): 2}[(2, i)]
        except KeyError as x: r.append(str(x))
    return r[-3:]
print(bad(300), hash((1, (2, "3"))) == hash((1.0, (2, "3"))), hash(()) , {(1, 2): 3}[(1.0, True + 1)])
