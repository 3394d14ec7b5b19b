# A loop that breaks leaves the generator suspended; close runs its finally.
log = []
def g(name):
    try:
        for i in range(3):
            yield i
    finally:
        log.append(name)
for x in g("full"):
    pass
it = g("broken")
for x in it:
    break
print(log)
it.close()
print(log)
