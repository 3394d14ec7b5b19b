# A key that is deleted and put back goes to the end, which a running iterator notices.
def attempt(view):
    seen = []
    try:
        for x in view():
            seen.append(x)
            if len(seen) > 3:
                break
            del d[0]
            d[0] = 0
    except RuntimeError as e:
        print(seen, e)
    else:
        print(seen, "no error")

d = {0: 0}
attempt(lambda: d)
d = {0: 0}
attempt(d.keys)
d = {0: 0}
attempt(d.values)
d = {0: 0}
attempt(d.items)
d = {0: 0, 1: 1}
attempt(lambda: d)

# What popitem took leaves no trace: the next key takes its place.
d = {}
for i in range(1000):
    d[i] = i
    d.popitem()
d[1] = 2
print(list(d), len(d))
for i in range(1000):
    d[i, 0] = i
    del d[i, 0]
print(list(d.items()))
