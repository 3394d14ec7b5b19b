# := binds in the function that holds the comprehension.
def f(data):
    hits = [y for x in data if (y := x * 2) > 4]
    return hits, y
print(f([1, 2, 3]))
if (n := len("abcd")) > 3:
    print(n)
print([(z := k) for k in range(3)], z)
total = 0
print([total := total + v for v in [1, 2, 3]], total)
while (n := n - 1) > 1:
    print("loop", n)
