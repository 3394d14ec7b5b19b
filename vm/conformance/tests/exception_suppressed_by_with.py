# __exit__ returning true swallows the exception.
class S:
    def __enter__(self): return "in"
    def __exit__(self, t, v, tb):
        print(t.__name__ if t else None, v, tb is not None)
        return t is ValueError
with S() as s:
    print(s)
    raise ValueError("gone")
try:
    with S():
        raise KeyError("kept")
except KeyError as e:
    print("out", e)
with S():
    pass
