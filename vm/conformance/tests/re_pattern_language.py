# Each construct of the pattern language, on texts where it matches and where it does not.
import re

cases = [
    (r"a|b|cd", "xcd"), (r"(a|ab)(c|bcd)(d*)", "abcd"), (r"(?:(a)|b)*", "abab"), (r"(a*)*", "aa"), (r"(a*?)+b", "aab"),
    (r"(?=(a+))a*b\1", "baaabac"), (r"(?!foo)\w+", "foobar"), (r"(?<=-)\w+", "spam-egg"), (r"(?<!\w)b", "ab b"),
    (r"(?P<q>['\"]).*?(?P=q)", "a 'b\"c' d"), (r"(<)?\w+(?(1)>|!)", "<a> b!"), (r"(?>a+)ab", "aaab"), (r"a++b", "aaab"), (r"a?+a", "aa"),
    (r"(?:ab){2,3}+c", "ababababc"), (r"x{2,}", "xxxx"), (r"x{,2}?y", "xxxy"), (r"^\w$", "a\nb"), (r"(?m)^\w$", "a\nb"), (r"a.b", "a\nb"),
    (r"(?s)a.b", "a\nb"), (r"\Aa\Z", "a\n"), (r"a$", "a\n"), (r"\bfoo\B", "foobar foo"), (r"[^\W\d_]+", "12_äß"), (r"\d+", "٣4"),
    (r"(?a)\d+", "٣4"), (r"(?i)straße", "STRAẞE"), (r"(?i)[a-z]+", "KſK"), (r"(?i)ǆ", "ǅ"), (r"(?ai)k", "\u212a"), (r"[\u0400-\u04ff]+", "привет мир"),
    (r"(?x) a # comment\n b", "ab"), (r"(?i:a)b", "Ab aB"), (r"[]a-]+", "]-a"), (r"(\w+)\s+\1", "the the"), (r"(?i)(a)\1", "aA"), (r"\N{GREEK SMALL LETTER ALPHA}|z", "z"),
    (r"(((((a)))))", "a"), (r"(?:a|b)??c", "abc"), (r".*?,", "a,b,"), (r"(.)(?<=\1\1)", "abb"), (r"\x41\u0042\U00000043\101", "ABCA"), ("\U0001F600+", "x\U0001F600\U0001F600"),
]
for p, s in cases:
    try:
        m = re.search(p, s)
        print(ascii(p), None if m is None else (m.span(), m.groups()), re.findall(p, s))
    except re.error as e:
        print(ascii(p), "error", e)
    try:
        b, t = p.encode("latin-1"), s.encode("latin-1")
        m = re.search(b, t)
        print("   ", None if m is None else (m.span(), m.groups()))
    except (re.error, UnicodeError) as e:
        print("   ", type(e).__name__)
for bad in ["(", ")", "*a", "a**", "[a", "(?P<1>a)", r"\1", "(?<=a+)b", "a{3,2}", "(?z)", r"\q", "(?P=x)", "(?(2)a)", "[z-a]", "(?i", "a(?i)"]:
    try:
        re.compile(bad)
        print(bad, "ok")
    except re.error as e:
        print(bad, "|", e, "|", e.pos, e.lineno, e.colno)
