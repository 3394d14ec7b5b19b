# else of a loop runs unless the loop was broken.
def f(n, stop):
    for i in range(n):
        if i == stop: break
    else:
        return "else"
    return "broken"
print(f(3, 5), f(3, 1), f(0, 0))
n = 3
while n:
    n -= 1
else:
    print("done", n)
while True:
    break
else:
    print("no")
