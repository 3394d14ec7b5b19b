# Closures of one call share their variables, closures of two calls do not.
def counter(start):
    n = start
    def up(by=1):
        nonlocal n
        n += by
        return n
    def get():
        return n
    return up, get
a_up, a_get = counter(0)
b_up, b_get = counter(10)
a_up(); a_up(5); b_up()
print(a_get(), b_get())
print(a_up.__code__.co_freevars, a_up.__closure__[0].cell_contents)
