# Very long decimal texts are refused beyond the limit of 4300 digits.
try:
    int("1" * 5000)
except ValueError as e:
    print(e)
try:
    str(10 ** 5000)
except ValueError as e:
    print(e)
print(len(str(10 ** 4000)), len(hex(10 ** 5000)))
