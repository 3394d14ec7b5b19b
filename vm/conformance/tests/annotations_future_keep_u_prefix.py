# Annotations as text keep the prefix u of a string.
from __future__ import annotations

def f(a: u"x", b: "y", c: [u"z" "w", "w" u"z"]):
    pass
print(f.__annotations__)
