# isinstance and issubclass take tuples, unions and metaclass hooks.
class M(type):
    def __instancecheck__(cls, o): return o == 42
    def __subclasscheck__(cls, c): return c is int
class C(metaclass=M): pass
print(isinstance(42, C), isinstance(41, C), issubclass(int, C), issubclass(str, C))
print(isinstance(1, (str, (int,))), isinstance(True, int), isinstance(1, int | str), issubclass(bool, int))
try:
    isinstance(1, 1)
except TypeError as e:
    print(e)
