# isinstance and issubclass over nested tuples and made-up bases stop at the recursion limit.
import sys


class Endless:
    @property
    def __bases__(self):
        return (self, self)


class Chain:
    def __init__(self, n):
        self.n = n

    @property
    def __bases__(self):
        return (Chain(self.n - 1),) if self.n else ()


for f in (lambda: issubclass(Endless(), int), lambda: isinstance(1, nested), lambda: issubclass(int, nested)):
    nested = ()
    for _ in range(sys.getrecursionlimit() + 5):
        nested = (nested,)
    try:
        f()
    except RecursionError:
        print("recursion")
print(issubclass(Chain(5000), int))
try:
    sys.call_tracing(type, 2)
except TypeError as e:
    print(e)
print(sys.call_tracing(divmod, (7, 2)))
