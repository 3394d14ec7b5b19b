# Building a string in a hot loop gives the right text across widths.
def f(n):
    s = ""
    for i in range(n):
        s += "a" if i < 100 else "é" if i < 200 else "€" if i < 300 else "😀"
    return s
s = f(400)
print(len(s), s[99:101], s[199:201], s[299:301], s.count("😀"))
