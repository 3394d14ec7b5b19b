# str.format takes positions, names, attributes, items and nested fields.
class C: a = 5
print("{} {}".format(7, "abc"))
print("{1} {0}|{x} {x!r}|{0.real}|{1[2]}|{c.a}|{d[k]}|{0:{w}}|{{}}".format(7, "abc", x="s", c=C, d={"k": 1}, w=4))
for t in ("{", "}", "{0", "{5}", "{} {0}", "{x}", "{!z}", "{0.nope}"):
    try:
        print(t.format(1))
    except Exception as e:
        print(type(e).__name__, e)
