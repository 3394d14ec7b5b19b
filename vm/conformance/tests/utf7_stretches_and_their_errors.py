# UTF-7: stretches of base 64, their ends and errors.
for s in ["a+b", "\u20ac", "a\u20acb", "\u20ac-", "\u20ac!", "x\U0001F600y", "\ud800", "~\\", "a\u0416\u0416 z", "", "+", "\0"]:
    b = s.encode("utf-7", "surrogatepass")
    print(ascii(s), b, b.decode("utf-7") == s)
for b in [b"+", b"+-", b"a+IKx", b"+IKwt", b"+AB", b"+//8-", b"+2D0-", b"+2D3eAA-", b"\xe9", b"a+\xe9", b"+IKw\xe9", b"+@", b"+IKx!", b"++", b"+2AHab9ze", b"+2AFv\xd8"]:
    for errors in ("strict", "replace", "ignore"):
        try:
            print(b, errors, ascii(b.decode("utf-7", errors)))
        except UnicodeDecodeError as e:
            print(b, e)
import codecs
d = codecs.getincrementaldecoder("utf-7")()
print([d.decode(bytes([c])) for c in b"a+IKwgrQ-b+-"], codecs.utf_7_decode(b"a+IKw"), codecs.utf_7_decode(b"a+IKw", "strict", True))
