# An exception raised and caught on each iteration of a hot loop leaves exact counts.
def f(n):
    odd = even = 0
    for i in range(n):
        try:
            if i & 1:
                raise ValueError(i)
            even += 1
        except ValueError as e:
            odd += e.args[0]
        finally:
            even += 0
    return odd, even
print(f(1000))
