# Names, properties and normal forms of characters, now and in Unicode 3.2.
import unicodedata as u

print(u.unidata_version, u.ucd_3_2_0.unidata_version, type(u.ucd_3_2_0))
for db in (u, u.ucd_3_2_0):
    total = 0
    for i in range(0, 0x110000, 61):
        c = chr(i)
        row = (db.category(c), db.bidirectional(c), db.combining(c), db.mirrored(c), db.east_asian_width(c), db.decomposition(c),
               db.decimal(c, -1), db.digit(c, -1), db.numeric(c, -1), db.name(c, ""))
        total = (total * 31 + int.from_bytes(repr(row).encode(), "big")) % 1000000007
    print(total)
for name in ["LATIN SMALL LETTER A", "latin small letter gha", "HANGUL SYLLABLE GAG", "CJK UNIFIED IDEOGRAPH-4E00", "KEYCAP DIGIT ONE", "NULL", "BELL", "EURO SIGN"]:
    print(name, ascii(u.lookup(name)))
for bad in ["nothing", "CJK UNIFIED IDEOGRAPH-41", "HANGUL SYLLABLE", "x" * 300]:
    try:
        u.lookup(bad)
    except KeyError as e:
        print(e)
for f, c in [(u.name, "\x00"), (u.decimal, "²"), (u.digit, "½"), (u.numeric, "a"), (u.category, "ab"), (u.category, 3), (u.name, "ab"), (u.ucd_3_2_0.name, "\u20ba")]:
    try:
        print(f(c))
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
texts = ["", "abc", "é", "e\u0301\u0323", "ﬁ①２", "한글", "\u1112\u1161\u11ab", "Å\u212b\u2126", "a\u0327\u05ae\u0300", "\u0344", "\u0958", "\U0001d15e", "ß\u1e9b\u0323", "\u3131\u314f"]
for t in texts:
    print(ascii(t), [ascii(u.normalize(f, t)) for f in ("NFC", "NFD", "NFKC", "NFKD")], [u.is_normalized(f, t) for f in ("NFC", "NFD", "NFKC", "NFKD")])
for args in [("NFX", "é"), ("NFC", 3), (3, "x")]:
    try:
        u.normalize(*args)
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
print("\N{GREEK SMALL LETTER ALPHA}", "stra\u00dfe".encode("idna") if False else u.ucd_3_2_0.category("\u0221"), u.category("\u0221"))
