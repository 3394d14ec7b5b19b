# * and ** unpack in lists, tuples, sets, dicts and calls.
a, d = [1, 2], {"x": 1}
print([*a, 3, *a], (*a,), {*a, 5} == {1, 2, 5}, {**d, "y": 2, **{"x": 9}})
def f(): return *a, 7
print(f())
for text in ("[*5]", "{**5}", "{**[1]}"):
    try:
        eval(text)
    except TypeError as e:
        print(e)
