# Codecs given by tables, the escape codec, and taking search functions back.
import codecs

table = "".join(map(chr, range(128))) + "\u20ac\ufffe" + "\u0416" * 126
build = codecs.charmap_build(table)
print(codecs.charmap_decode(b"a\x80\x82", "strict", table), codecs.charmap_encode("a\u20ac", "strict", build))
for errors in ("strict", "replace", "ignore", "backslashreplace"):
    try:
        print(codecs.charmap_decode(b"a\x81z", errors, table))
    except UnicodeDecodeError as e:
        print(e)
    try:
        print(codecs.charmap_encode("a\u1234\u1235z", errors, build))
    except UnicodeEncodeError as e:
        print(e)
print(codecs.charmap_encode("ab\xe9", "xmlcharrefreplace", {97: b"AA", 98: 66, 38: 38, 35: 35, 50: 50, 51: 51, 59: 59}))
print(codecs.charmap_decode(b"\0\1\2", "replace", {0: "xyz", 1: 0x1F600, 2: None}))
for f, a in [(codecs.charmap_decode, (b"\0", "strict", {0: 0x110000})), (codecs.charmap_decode, (b"\0", "strict", {0: b""})),
             (codecs.charmap_encode, ("a", "strict", {97: 256})), (codecs.charmap_encode, ("a", "strict", {97: "a"}))]:
    try:
        f(*a)
    except TypeError as e:
        print(e)
print("\u0416".encode("koi8-r"), b"\xf6".decode("koi8_r"), "\u0416".encode("cp1251"))
print(codecs.escape_encode(b"a'\\\n\t\x00\xff"), codecs.escape_decode(rb"\x41\101\n\'\\z"))
for errors in ("strict", "replace", "ignore", "x"):
    try:
        print(codecs.escape_decode(rb"a\xz", errors))
    except ValueError as e:
        print(e)
print(codecs.utf_16_ex_decode(b"\xfe\xff\0a"), codecs.utf_32_ex_decode(b"a\0\0\0", "strict", 0, True), codecs.readbuffer_encode("\xe9"))


def search(name):
    if name == "found_once":
        return codecs.CodecInfo(lambda s, e="strict": (b"!", len(s)), None, name=name)


codecs.register(search)
print("x".encode("found_once"))
codecs.unregister(search)
codecs.unregister(search)
try:
    "x".encode("found_once")
except LookupError as e:
    print(e)
