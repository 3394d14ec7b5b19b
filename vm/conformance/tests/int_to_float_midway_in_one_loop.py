# One accumulator turns from int to float in the middle of one hot loop.
def f(n):
    t = 0
    for i in range(n):
        t += i if i < n // 2 else 0.5
    return t
print(f(1000), f(10))
