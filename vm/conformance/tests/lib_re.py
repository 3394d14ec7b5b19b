# Regular expressions: groups, substitution, flags, lookaround.
# needs: lib
import re
m = re.match(r"(?P<a>\w+)\s+(\d+)", "abc  123 x")
print(m.groups(), m["a"], m.span(2), re.findall(r"\d+", "1 22 333"), re.sub(r"(\w)(\w)", r"\2\1", "abcd"), re.split(r"[,;]\s*", "a, b;c"), re.search("(?i)HELLO", "say hello").group(), re.sub("x*", "-", "abxd"), re.fullmatch("a|ab", "ab") is not None, re.findall(r"(?<=a)b(?!c)", "abc abd"), re.compile("é+").sub(lambda m: str(len(m[0])), "aééb"))
try:
    re.compile("(")
except re.error as e:
    print(e)
