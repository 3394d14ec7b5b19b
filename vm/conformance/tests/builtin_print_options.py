# print takes sep, end and file.
import sys
print(1, "a", None, sep="-", end="!\n")
print()
print(*[1, 2], sep="")
print("to stdout", file=sys.stdout, flush=True)
class W:
    def __init__(self): self.parts = []
    def write(self, s): self.parts.append(s)
w = W()
print("x", 1, file=w)
print(w.parts)
for kw in ({"sep": 5}, {"end": 5}, {"nope": 1}):
    try:
        print(1, **kw)
    except TypeError as e:
        print(e)
