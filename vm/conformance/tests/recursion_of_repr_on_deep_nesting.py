# Printing and comparing a very deep structure raises RecursionError instead of crashing.
l = []
for _ in range(100000): l = [l]
t = ()
for _ in range(100000): t = (t,)
for f in (lambda: repr(l), lambda: l == [l], lambda: repr(t)):
    try:
        f()
        print("ok")
    except RecursionError:
        print("RecursionError")
while l: l = l[0]
while t: t = t[0]
print("freed")
