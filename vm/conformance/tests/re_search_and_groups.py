# Searching, matching and what match objects tell.
import re

p = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)(?:-(\d\d))?")
m = p.search("on 2024-05-17 and 1999-12")
print(m, m.group(), m.group(1, "month", 3), m["year"], m.groups(), m.groupdict())
print(m.start(), m.end("month"), m.span(3), m.regs, m.pos, m.endpos, m.lastindex, m.lastgroup, m.string, m.re is p)
m = p.search("1999-12")
print(m.groups(), m.groups("none"), m.span(3), m.lastindex, m.lastgroup, m.expand(r"\g<month>/\1"))
for bad in (7, "day", -1, 2.0):
    try:
        m.group(bad)
    except (IndexError, TypeError) as e:
        print(type(e).__name__, e)
print(p.match("x1999-12"), p.match("x1999-12", 1), p.fullmatch("1999-12x"), p.fullmatch("1999-12x", 0, 7).group())
print(re.findall(r"\w+", "ab cd, ef"), re.findall(r"(\w)(\w)", "abcd"), re.findall(r"(\w)\w", "abcd"), re.findall("x*", "axb"))
print([(m.span(), m.group()) for m in re.finditer(r"a*", "baac")])
print(re.split(r"[,;]\s*", "a, b;c,d", maxsplit=2), re.split(r"(-)", "a-b-c"), re.split(r"\b", "hi you"), re.split("x*", "axbc"))
print(re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"), re.subn("a", lambda m: m.group().upper(), "banana", count=2))
print(re.sub("x*", "-", "abxd"), re.sub(r"\d", "", "a1b2"), re.sub("(a)|b", r"[\1]", "abc"), re.escape("a.b*c\n"))
print(p, re.compile(b"x", re.I | re.S), re.compile("", re.A | re.X | re.M), p.flags, p.groups, dict(p.groupindex), p.pattern)
print(p == re.compile(p.pattern), p == re.compile(p.pattern, re.I), hash(p) == hash(re.compile(p.pattern)), p != 3)
for call in (lambda: re.search("a", b"a"), lambda: re.search(b"a", "a"), lambda: re.search("a", 3), lambda: re.sub("a", b"b", "a"),
             lambda: re.compile("(")):
    try:
        print(call())
    except Exception as e:
        print(type(e).__name__, e)
s = re.compile(r"\s*(\w)").scanner("a b c")
print(s.match().group(1), s.search().group(1), s.match().group(1), s.match(), s.pattern.pattern)
print(re.match(r"(a)(b)?", "a")[2], re.match("", "").span(), bool(re.match("", "")))
print(re.Scanner([(r"\d+", lambda s, t: int(t)), (r"\w+", lambda s, t: t), (r"\s+", None)]).scan("ab 12 c3!"))
print(re.Pattern[str], re.Match[bytes], type(p).__module__, type(p).__name__)
import copy, pickle
print(copy.copy(p) is p, copy.deepcopy(m) is m, pickle.loads(pickle.dumps(p)) == p)
