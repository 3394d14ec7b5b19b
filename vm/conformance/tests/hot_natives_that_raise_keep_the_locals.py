# In a hot loop, a native function that raises leaves every local as it was.
def run(n):
    items = list(range(8))
    seen = []
    total = 0
    for i in range(n):
        before = total
        total = total + i
        try:
            value = items.pop()
            total += value
        except IndexError as e:
            seen.append((i, before, total, str(e)))
            items.extend((i, i + 1, i + 2))
            value = -1
        if value > 10 ** 9:
            break
    return total, value, len(seen), seen[0], seen[-1]


def uncaught(n):
    text = "abc"
    mark = None
    for i in range(n):
        mark = i
        where = text.index("c")
        if i == n - 3:
            text = "xyz"
    return where, mark


print(run(3000))
for n in (10, 500):
    try:
        uncaught(n)
    except ValueError as e:
        frame = e.__traceback__.tb_next.tb_frame
        print(n, e, frame.f_locals["mark"], frame.f_locals["where"], e.__traceback__.tb_next.tb_lineno)
