# property gives get, set, delete and doc; missing ones are errors.
class C:
    def __init__(self): self._x = 1
    @property
    def x(self):
        "The x."
        return self._x
    @x.setter
    def x(self, v): self._x = v * 2
    @x.deleter
    def x(self): self._x = None
    @property
    def ro(self): return 7
c = C()
print(c.x, C.x.__doc__)
c.x = 5
print(c.x)
del c.x
print(c.x, c.ro)
for action in ("c.ro = 1", "del c.ro"):
    try:
        exec(action)
    except AttributeError as e:
        print(e)
