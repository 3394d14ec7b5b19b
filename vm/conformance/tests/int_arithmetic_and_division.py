# Floor division and modulo round toward minus infinity; true division gives a float.
for a, b in [(7, 2), (-7, 2), (7, -2), (-7, -2), (0, 5), (6, 3), (10**20, 7), (-10**20, 7), (2**63, -1), (-2**63, -1)]:
    print(a // b, a % b, divmod(a, b), a / b)
for text in ("1 // 0", "1 % 0", "1 / 0", "divmod(1, 0)", "0 ** -1"):
    try:
        eval(text)
    except ZeroDivisionError as e:
        print(e)
