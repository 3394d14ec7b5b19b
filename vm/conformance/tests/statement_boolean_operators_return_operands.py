# and, or and not short-circuit and give back operands.
def t(x):
    print("t", x)
    return x
print(t(0) and t(1), t(0) or t(""), t(2) or t(3), not t([]))
print(1 if t(0) else 2, (0 or None) is None, [] or {} or "last")
