# Annotations of modules, classes and functions are stored, not enforced.
x: int = "no check"
y: "later"
class C:
    a: list = 1
    b: "str"
def f(p: int, *q: str, r: float = 1, **s: dict) -> None: pass
print(__annotations__, C.__annotations__, f.__annotations__, "y" in globals())
def g():
    z: undefined_name = 5
    return z
print(g())
