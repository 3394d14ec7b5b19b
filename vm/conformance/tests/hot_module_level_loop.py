# A loop at module level, over globals, is right.
total = 0
items = []
for i in range(1000):
    total += i * i
    if i % 100 == 0:
        items.append(total)
print(total, items, i)
