# except* runs each matching clause once and raises what is left.
def f(excs):
    log = []
    try:
        try:
            raise ExceptionGroup("g", excs)
        except* ValueError as e:
            log.append(("V", [repr(x) for x in e.exceptions]))
        except* (TypeError, KeyError) as e:
            log.append(("TK", [repr(x) for x in e.exceptions]))
        else:
            log.append("else")
    except BaseException as rest:
        log.append(("rest", repr(rest)))
    return log
print(f([ValueError(1), TypeError(2), ValueError(3)]))
print(f([ValueError(1), OSError(5)]))
try:
    try:
        raise ValueError("bare")
    except* ValueError as e:
        print(repr(e))
        raise KeyError("new")
except BaseException as e:
    print(repr(e), repr(e.__context__))
