# find, index, count, split, partition, join, replace and their errors.
s = "one two  three two"
print(s.find("two"), s.rfind("two"), s.find("zz"), s.find("o", 1, 5), s.count("two"), s.count(""), s.index("three"), "two" in s, s.startswith(("x", "one")), s.endswith("two", 0, 7))
print(s.split(), s.split(" "), s.split("two", 1), s.rsplit(None, 1), "a\nb\r\nc\x0bd".splitlines(), "a\n".splitlines(True), "".split(), "".split(","))
print("a-b-c".partition("-"), "a-b-c".rpartition("-"), "abc".partition("x"), ",".join(["a", "b"]), "".join([]), s.replace("two", "2", 1), "aaa".replace("", "-"))
for f in [lambda: s.index("zz"), lambda: s.split(""), lambda: ",".join([1]), lambda: "a".partition(""), lambda: "a" + 1, lambda: "a" * "b", lambda: "abc"[5], lambda: "abc"["x"]]:
    try:
        f()
    except (ValueError, TypeError, IndexError) as e:
        print(type(e).__name__, e)
