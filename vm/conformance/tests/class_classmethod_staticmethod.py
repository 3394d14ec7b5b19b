# classmethod binds the class of the access, staticmethod binds nothing.
class A:
    @classmethod
    def who(cls, x=0): return cls.__name__, x
    @staticmethod
    def add(a, b): return a + b
class B(A): pass
print(A.who(), B.who(1), B().who(2), A.add(1, 2), B().add(3, 4))
print(A.__dict__["who"].__func__.__name__, A.__dict__["add"].__wrapped__ is A.add)
