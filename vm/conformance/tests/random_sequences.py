# The generator gives CPython's numbers for CPython's seeds.
import _random
from _random import Random

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

for seed in (0, 1, -1, 42, 2**32, 2**100 + 7, True):
    r = Random(seed)
    print(seed, r.random(), r.random(), r.getrandbits(1), r.getrandbits(32), r.getrandbits(33), r.getrandbits(200), r.getrandbits(0))
r = Random(1.5)
print(r.random())
r.seed((1, 2))
print(r.random())
state = r.getstate()
print(len(state), state[:3], state[-1])
a = [r.random() for _ in range(1000)]
r.setstate(state)
print(a == [r.random() for _ in range(1000)], sum(a))
print(attempt(r.getrandbits, -1), attempt(r.getrandbits, 2**40), attempt(r.getrandbits, "a"), attempt(r.setstate, 3), attempt(r.setstate, (1, 2)), attempt(r.setstate, (0,) * 624 + (625,)), attempt(r.setstate, ("a",) * 625))
print(attempt(Random, 1, 2), attempt(Random, x=1), attempt(Random, []))
x, y = Random(), Random()
print(x.random() != y.random())
class Sub(Random):
    def __init__(self, x=None, y=None):
        self.y = y
print(Sub(3, y=4).y if False else Sub(3).random() == Random(3).random(), Random.__module__)
