# _string takes format strings apart for string.Formatter.
import _string


def show(s):
    out = []
    try:
        for item in _string.formatter_parser(s):
            out.append(item)
    except ValueError as e:
        out.append(str(e))
    print(repr(s), out)


for s in ["", "abc", "a{}b", "{0}{x!r}{y:>{w}}", "{{}}", "a{{b}}c{d}", "{", "}", "a{b", "{a!}", "{a!r", "{a!rx}", "{a:", "{a[}]}", "{a{b}}", "é{ü.x[1]:€}", "{:{}}", "{a:b}}"]:
    show(s)
for s in ["", "a", "0", "a.b", "a[0].c[x y]", "12.x", "a[", "a[]", "a.", "[0]", ".a", "a[0]b", "1234567890123456789012", "٣.x"]:
    try:
        first, rest = _string.formatter_field_name_split(s)
        print(repr(s), repr(first), end=" ")
        print(list(rest))
    except ValueError as e:
        print(repr(s), e)
for f in (_string.formatter_parser, _string.formatter_field_name_split):
    try:
        f(3)
    except TypeError as e:
        print(e)
