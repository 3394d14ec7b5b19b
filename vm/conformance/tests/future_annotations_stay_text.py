# from __future__ annotations keeps annotations as text.
from __future__ import annotations
def f(a: int | None, b: list[undefined]) -> C: pass
print(f.__annotations__)
