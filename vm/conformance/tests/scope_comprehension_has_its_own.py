# A comprehension's variable does not leak; its first iterable is evaluated outside.
i = "kept"
print([i for i in range(3)], i)
class C:
    n = 3
    ok = [k for k in range(n)]
    try:
        bad = [n for k in range(1)]
    except NameError as e:
        bad = str(e)
print(C.ok, C.bad)
