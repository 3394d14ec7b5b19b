# try, else and finally run in order; finally runs on every way out.
log = []
def f(mode):
    for i in range(3):
        try:
            if mode == "raise": raise ValueError("v")
            if mode == "return": return "from try"
            if mode == "break": break
            if mode == "continue" and i == 0: continue
        except ValueError as e:
            log.append(str(e))
            return "from except"
        else:
            log.append("else")
        finally:
            log.append("finally")
    return "end"
for m in ("raise", "return", "break", "continue", "none"):
    print(m, f(m), log)
    log.clear()
