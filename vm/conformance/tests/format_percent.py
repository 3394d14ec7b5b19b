# % formatting of strings: flags, widths, mappings and errors.
print("%d %i %5d|%-5d|%05d|%+d|% d|%x %X %#o %c%c" % (1, 2.9, 3, 4, 5, 6, 7, 255, 255, 8, "z", 65))
print("%s %r %a %10.3s|%%|%e|%.2f|%g|%G" % ("s", "r", "é", "abcdef", 1234.5, 2.345, 1e-10, 1e20))
print("%(a)s %(b)03d" % {"a": 1, "b": 2}, "%*d|%-*d|%.*f" % (5, 1, 4, 2, 1, 2.55), "%s" % ((1, 2),))
for f, a in [("%d", "x"), ("%s %s", 1), ("%s", (1, 2)), ("%z", 1), ("%(a)s", 1), ("%(a)s", {}), ("%c", "ab"), ("%", 1), ("%x", 1.5)]:
    try:
        print(f % a)
    except Exception as e:
        print(type(e).__name__, e)
