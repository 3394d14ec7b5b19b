# __set_name__ is called with owner and name when the class is made.
class F:
    def __set_name__(self, owner, name):
        self.where = owner.__name__, name
    def __get__(self, o, t):
        return self.where
class C:
    a = F()
    b = F()
print(C.a, C().b)
class Bad:
    def __set_name__(self, owner, name): raise ValueError("no")
try:
    class D:
        x = Bad()
except RuntimeError as e:
    print(e, repr(e.__cause__))
