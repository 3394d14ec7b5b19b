# A lookup calls __hash__ once and __eq__ for equal hashes, and lets errors out.
log = []
class K:
    def __init__(self, v): self.v = v
    def __hash__(self):
        log.append("hash")
        return 1
    def __eq__(self, o):
        log.append("eq")
        if o.v == "boom": raise ValueError("boom")
        return self.v == o.v
d = {K(1): "one"}
log.clear()
print(d[K(1)], log)
try:
    d[K(2)]
except KeyError:
    print("KeyError")
b = K("boom")
try:
    d[b]
except ValueError as e:
    print(e)
