# __new__ makes the object; __init__ runs only if it is an instance.
class C:
    def __new__(cls, v):
        print("new", v)
        return super().__new__(cls) if v else "other"
    def __init__(self, v):
        print("init", v)
print(type(C(1)).__name__, C(0))
class P(tuple):
    def __new__(cls, a, b): return super().__new__(cls, (a, b))
print(P(1, 2), P(1, 2)[1], isinstance(P(1, 2), tuple))
class I:
    def __init__(self): return 1
try:
    I()
except TypeError as e:
    print(e)
class E: pass
try:
    E(1)
except TypeError as e:
    print(e)
