# Changing a dict's size while iterating over it is an error; changing values is not.
d = {1: 1, 2: 2}
for k in d: d[k] += 1
print(d)
for change in (lambda: d.__setitem__(5, 5), lambda: d.pop(1)):
    try:
        for k in d: change()
    except RuntimeError as e:
        print(e)
try:
    s = {1, 2}
    for x in s: s.add(x + 10)
except RuntimeError as e:
    print(e)
