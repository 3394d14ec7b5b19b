# The singletons compare, print and convert as they should.
print(..., None, NotImplemented, bool(...), bool(None), type(...)() is ..., type(None)() is None, ... == Ellipsis, None == 0, [None] == [None], hash(None) == hash(None), None is None)
try:
    None()
except TypeError as e:
    print(e)
