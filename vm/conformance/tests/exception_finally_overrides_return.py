# A return in finally replaces the value and swallows the exception.
def f():
    try:
        return 1
    finally:
        return 2
def g():
    try:
        raise ValueError
    finally:
        return "swallowed"
def h():
    x = 1
    try:
        return x
    finally:
        x = 2
def k():
    while True:
        try:
            raise KeyError
        finally:
            break
    return "out"
print(f(), g(), h(), k())
