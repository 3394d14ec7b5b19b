# Binary operators try the left, then the reflected right; a subclass on the right goes first.
class A:
    def __add__(self, o): return "A.add" if not isinstance(o, str) else NotImplemented
    def __radd__(self, o): return "A.radd"
    def __sub__(self, o): return NotImplemented
class B(A):
    def __radd__(self, o): return "B.radd"
print(A() + 1, 1 + A(), A() + B(), B() + A(), A() + A())
for f in [lambda: A() - 1, lambda: 1 - A(), lambda: A() + "s", lambda: 1 + "s", lambda: [] + ()]:
    try:
        print(f())
    except TypeError as e:
        print(e)
