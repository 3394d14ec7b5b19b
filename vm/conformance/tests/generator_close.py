# close raises GeneratorExit at the yield and runs finally; yielding then is an error.
log = []
def g():
    try:
        yield 1
        yield 2
    except GeneratorExit:
        log.append("exit")
        raise
    finally:
        log.append("finally")
it = g()
next(it)
print(it.close(), log, list(it))
def stubborn():
    try:
        yield 1
    except GeneratorExit:
        yield 2
s = stubborn()
next(s)
try:
    s.close()
except RuntimeError as e:
    print(e)
fresh = g()
fresh.close()
print(log)
