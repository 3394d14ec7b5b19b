# Only the first iterable is evaluated when a generator expression is made.
log = []
def src(name, n):
    log.append(name)
    return range(n)
g = ((a, b) for a in src("a", 2) for b in src("b", 2))
print(log)
print(list(g), log)
try:
    (x for x in 5)
except TypeError as e:
    print(e)
