# global binds in the module, nonlocal in the nearest enclosing function.
x = 0
def f():
    x = 1
    def g():
        nonlocal x
        x += 10
        def h():
            global x
            x += 100
        h()
    g()
    return x
print(f(), x)
def make():
    global made
    made = "yes"
make()
print(made)
