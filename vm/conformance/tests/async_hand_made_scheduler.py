# A small hand-made scheduler runs coroutines in turn.
def run(*coros):
    ready = list(coros)
    while ready:
        c = ready.pop(0)
        try:
            c.send(None)
            ready.append(c)
        except StopIteration:
            pass
class Switch:
    def __await__(self): yield
log = []
async def worker(name, n):
    for i in range(n):
        log.append((name, i))
        await Switch()
run(worker("a", 3), worker("b", 2))
print(log)
