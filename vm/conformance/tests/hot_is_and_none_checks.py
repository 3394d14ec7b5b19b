# Identity and None tests on changing values.
def f(n):
    prev = None
    same = none = 0
    obj = object()
    for i in range(n):
        cur = None if i % 3 == 0 else obj if i % 3 == 1 else i
        if cur is None: none += 1
        if cur is prev: same += 1
        if i % 5: prev = cur
    return none, same
print(f(900))
