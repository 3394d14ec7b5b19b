# del unbinds locals, globals, attributes, items and slices.
def f():
    a = 1
    del a
    try:
        a
    except UnboundLocalError as e:
        return str(e)
print(f())
g = 1
del g
try:
    g
except NameError as e:
    print(e)
class C: pass
c = C()
c.x = 1
del c.x
print(hasattr(c, "x"))
try:
    del c.x
except AttributeError as e:
    print(e)
l = [0, 1, 2, 3, 4, 5]
del l[0], l[1:3]
print(l)
a, b = 1, 2
del (a, b)
print("a" in globals(), "b" in globals())
