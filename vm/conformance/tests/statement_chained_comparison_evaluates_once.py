# a < b < c evaluates b once and stops at the first false.
def t(x):
    print("t", x)
    return x
print(t(1) < t(2) < t(3))
print(t(3) < t(2) < t(1))
print(1 == 1.0 == True, 1 in [1] == True, 3 > 2 != 1)
