# Callee, positional, then keyword arguments are evaluated left to right.
log = []
def t(x):
    log.append(x)
    return x
def f(*a, **k):
    return a, k
(t(0), f)[1](t(1), *[t(2)], t(3), k=t(4), **{"z": t(5)})
print(log)
log.clear()
d = {}
d[t("key")] = t("value")
print(log)
log.clear()
t(1) + t(2) * t(3) < t(4) < t(5)
print(log)
log.clear()
x = {t(1): t(2), t(3): t(4)}
print(log)
