# A division by zero on iteration 500 is raised there.
def f(n):
    t = 0
    i = 0
    try:
        for i in range(n):
            t += 1000 // (500 - i)
    except ZeroDivisionError as e:
        return i, t, str(e)
print(f(1000))
