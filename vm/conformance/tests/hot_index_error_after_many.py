# An index out of range on a late iteration is raised there, negative indices work.
def f(l):
    t = 0
    i = 0
    try:
        while True:
            t += l[i] + l[-i - 1]
            i += 1
    except IndexError as e:
        return i, t, str(e)
print(f(list(range(400))), f(tuple(range(300))))
