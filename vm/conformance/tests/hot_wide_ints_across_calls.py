# Integers beyond 50 bits that a hot loop keeps across calls stay exact.
def look(seen, value):
    seen[0] = value
    return value & 1023


def run(n):
    seen = [0]
    state = 1
    wide = 0
    for i in range(n):
        wide = state * 1103515245 + 12345
        low = look(seen, wide)
        pair = (wide, i)
        state = pair[0] & 0x7FFFFFFF
        if seen[0] != wide or low != wide & 1023:
            print("differs", i)
    return state, wide, seen[0]


def growing(n):
    total = 1
    text = ""
    for i in range(n):
        total = total * 3 + i
        if total > 1 << 70:
            text += str(total % 10)
            total = total % 1000003
    return total, text[-12:], len(text)


print(run(4000))
print(growing(5000))
