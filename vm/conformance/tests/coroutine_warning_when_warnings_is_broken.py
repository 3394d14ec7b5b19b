# A coroutine that never ran is reported also where the warnings module is broken.
# needs: lib
import gc, sys, warnings

async def f():
    pass

def leave():
    f()

def deep(n):
    return n and deep(n - 1)

def attempt():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        leave()
        deep(100)
        gc.collect()
    print([(w.category.__name__, str(w.message)) for w in caught if "awaited" in str(w.message)])

sys.unraisablehook = lambda u: print(u.exc_type.__name__, type(u.object).__name__)
attempt()
warnings._warn_unawaited_coroutine = lambda coro: 1 / 0
attempt()
del warnings._warn_unawaited_coroutine
attempt()
