# abs, divmod, pow, round, hex, oct, bin, chr, ord, ascii, repr.
print(abs(-5), abs(-2.5), abs(3 - 4j), abs(True), divmod(-7, 3), pow(2, 10), pow(2, -1), pow(2, 5, 7), pow(-8, 1 / 3).__class__.__name__, hex(-255), oct(8), bin(-5), chr(97), ord("€"), ascii("é€"), repr("a'b"), repr('a"b'), repr("a'\"b"))
for f in [lambda: hex(1.5), lambda: ord(5), lambda: pow("a", 2), lambda: pow(2.0, 2, 3), lambda: divmod("a", 1), lambda: chr("a"), lambda: bin("x")]:
    try:
        f()
    except TypeError as e:
        print(e)
