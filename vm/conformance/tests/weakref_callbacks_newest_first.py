# The callbacks of a dead object's weak references run in reverse order of their making.
# needs: lib
import gc, weakref

class A:
    pass

def make():
    a = A()
    for n in range(5):
        refs.append(weakref.ref(a, lambda r, n=n: order.append(n)))

def deep(n):
    return n and deep(n - 1)

refs, order = [], []
make()
deep(100)
gc.collect()
print(order)
