# Strings are indexed by code point; all planes, surrogates and escapes print as in CPython.
s = "aé€😀z"
print(len(s), s[3], s[-2], s[1:4], s[::-1], [hex(ord(c)) for c in s], ascii(s), repr("\x00\n\t\\'\"\x7f\xa0\ud800\u200b"), chr(0x10FFFF) == "\U0010ffff")
print("é" < "z", max(s), sorted(s), "😀".encode(), "é".encode("latin-1"), "\N{GREEK SMALL LETTER ALPHA}")
for f in [lambda: chr(-1), lambda: chr(0x110000), lambda: ord("ab"), lambda: "\ud800".encode(), lambda: "é".encode("ascii"), lambda: b"\xff".decode(), lambda: "x".encode("nope")]:
    try:
        f()
    except (ValueError, TypeError, LookupError) as e:
        print(type(e).__name__, e)
