# Iterating over a list sees what is appended and skips what is removed.
l = [1, 2, 3]
for x in l:
    if x < 4: l.append(x + 3)
print(l)
l = [1, 2, 3, 4]
for x in l:
    if x == 2: l.remove(2)
print(l)
it = iter(l)
list(it)
l.append(9)
print(list(it))
