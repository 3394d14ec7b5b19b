# Source given as bytes may be in any encoding that the library has a codec for.
def text_of(data):
    scope = {}
    exec(data, scope)
    return ascii(scope["s"])

for coding in ["koi8-r", "cp1251", "iso8859-15", "cp1252", "mac_roman", "utf-8", "latin-1"]:
    line = "# -*- coding: %s -*-\n" % coding
    print(coding, text_of(line.encode() + b"s = '\xc3\xa4'\n"))
for data in [b"# coding: no-such\n", b"# coding: ascii\ns = '\xe4'", b"# coding: cp1252\ns = '\x81'", b"\xef\xbb\xbf# coding: koi8-r\n"]:
    try:
        compile(data, "<file>", "exec")
    except SyntaxError as e:
        print(e.msg)

import codecs
table = {ord("a"): 1, ord("b"): b"xyz", ord("c"): None, ord("?"): 63, ord("&"): 38, ord("#"): 35, ord("9"): 57, ord(";"): 59}
for errors in ["strict", "ignore", "replace", "xmlcharrefreplace"]:
    try:
        print(errors, codecs.charmap_encode("abcdba", errors, table))
    except (UnicodeError, TypeError) as e:
        print(errors, type(e).__name__, e)
for errors in ["strict", "ignore", "replace", "backslashreplace"]:
    for mapping in ["ab\ufffec", {0: "x", 1: 0x1F600, 2: None, 3: "many"}, None]:
        try:
            print(errors, ascii(codecs.charmap_decode(b"\0\1\2\3", errors, mapping)))
        except (UnicodeError, TypeError) as e:
            print(errors, type(e).__name__, e)
for bad in [{97: 256}, {97: "x"}]:
    try:
        codecs.charmap_encode("a", "strict", bad)
    except TypeError as e:
        print(e)
for bad in [{97: -1}, {97: 1.5}]:
    try:
        codecs.charmap_decode(b"a", "strict", bad)
    except TypeError as e:
        print(e)
print(sorted(codecs.charmap_encode("\u20ac\xe4", "strict", codecs.charmap_build("\xe4\u20ac"))[0]))
