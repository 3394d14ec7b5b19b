# The built-in error handlers of codecs are functions of an exception.
# needs: lib
import codecs

def show(name, e):
    try:
        print(name, codecs.lookup_error(name)(e))
    except Exception as r:
        print(name, type(r).__name__, r)

names = ["strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "namereplace",
         "surrogateescape", "surrogatepass"]
errors = [
    UnicodeEncodeError("ascii", "g\xfcrk\u20ac\U0001F600x", 1, 6, "ouch"),
    UnicodeEncodeError("utf-8", "a\udc80\udcffb", 1, 3, "ouch"),
    UnicodeEncodeError("utf-16-be", "a\ud800b", 1, 2, "ouch"),
    UnicodeEncodeError("utf-32", "a\ud800b", 1, 2, "ouch"),
    UnicodeDecodeError("ascii", bytearray(b"g\xfcrk"), 1, 2, "ouch"),
    UnicodeDecodeError("utf-8", b"a\xed\xa0\x80b", 1, 2, "ouch"),
    UnicodeDecodeError("utf-16-le", b"a\0\x00\xd8", 2, 4, "ouch"),
    UnicodeTranslateError("g\xfcrk", 1, 3, "ouch"),
    ValueError("no"),
    42,
]
for e in errors:
    print(repr(e))
    for n in names:
        show(n, e)
print(codecs.strict_errors.__name__, codecs.namereplace_errors.__name__)
print("x\xe9\u20ac\ud800".encode("ascii", "namereplace"))
print("x\xe9".encode("latin-1", "namereplace"))
print(UnicodeDecodeError("ascii", bytearray(b"\xff"), 0, 1, "r").object)

# \N{...} in escapes, by name and alias.
def decode(b, errors="strict"):
    try:
        print(ascii(b.decode("unicode-escape", errors)))
    except UnicodeDecodeError as e:
        print(e)

decode(rb"\N{SPACE}\N{latin small letter gha}!")
for bad in (rb"a\N{nope}b", rb"a\N{}b", rb"a\N{SPACE", rb"a\NSPACE", rb"a\N", rb"a\N{LATIN SMALL LETTER R WITH TILDE}"):
    decode(bad)
    decode(bad, "ignore")
    decode(bad, "replace")
