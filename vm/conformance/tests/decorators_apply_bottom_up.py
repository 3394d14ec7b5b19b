# Decorators are evaluated top down and applied bottom up.
log = []
def deco(name):
    log.append("make " + name)
    def wrap(f):
        log.append("apply " + name)
        return lambda *a: (name, f(*a))
    return wrap
@deco("a")
@deco("b")
def f(x):
    return x
print(log, f(1))
@lambda c: c.__name__
class K: pass
print(K)
