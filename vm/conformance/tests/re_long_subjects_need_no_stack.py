# Patterns that decide often run over long texts without deep recursion.
import re

n = 100_000
for p, s in [(r"(?:a|b)*c", "ab" * n + "c"), (r"(?:ab?)*?c", "ab" * n + "c"), (r"(a|b)*", "ab" * n), (r"(?:(?:a)+b)+", "aab" * n),
             (r"(?>a|b)*c", "ab" * n + "c"), (r"(?:a|b)*+c", "ab" * n + "c"), (r".*x", "a" * n), (r"(?=(?:a|b)*c)a", "ab" * n + "c")]:
    m = re.match(p, s)
    print(p, None if m is None else (m.span(), m.lastindex))
few = n // 20
print(len(re.findall(r"\w+", "word " * few)), len(re.sub(r"(a)(b)", r"\2\1", "ab" * few)), len(re.split(",", "x," * few)))
print(re.match("(" * 300 + "a" + ")" * 300, "a") is not None if False else re.match("(?:" * 50 + "a" + ")" * 50, "a").span())
