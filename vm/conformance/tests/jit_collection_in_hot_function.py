# gc.collect() in a compiled function or loop finds what the function let go of.
import gc
import weakref


class Thing:
    pass


def collect():
    gc.collect()
    gc.collect()


def once():
    thing = Thing()
    ref = weakref.ref(thing)
    alive = ref() is thing
    thing = None
    collect()
    return alive, ref() is None


print({once() for _ in range(150)})


def loop():
    gone = 0
    for i in range(150):
        thing = Thing()
        ref = weakref.ref(thing)
        del thing
        gc.collect()
        gone += ref() is None
    return gone


print(loop())
