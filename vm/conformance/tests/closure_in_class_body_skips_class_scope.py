# Names of a class body are not visible in its methods.
x = "global"
class C:
    x = "class"
    ys = [x for _ in range(1)]
    def m(self):
        return x
    def n(self):
        return self.x, __class__.__name__
print(C().m(), C().n(), C.ys)
def f():
    x = "local"
    class D:
        y = x
        def m(self):
            return x
    return D
print(f().y, f()().m())
