# A dict comprehension evaluates key before value, and later keys win.
log = []
def t(x):
    log.append(x)
    return x
d = {t(k): t(k * 10) for k in (1, 2)}
print(log, d, {1: "a", True: "b", 1.0: "c"})
