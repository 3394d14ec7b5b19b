# Instances of one class get attributes in different orders while a hot loop reads them.
class P: pass
def f(n):
    t = 0
    for i in range(n):
        p = P()
        if i % 3 == 0:
            p.x = 1; p.y = 2
        elif i % 3 == 1:
            p.y = 20; p.x = 10
        else:
            p.z = 0; p.x = 100; p.y = 200; del p.z
        t += p.x + 2 * p.y
    return t
print(f(900))
