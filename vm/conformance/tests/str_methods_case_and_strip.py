# Case conversion, stripping, padding and predicates.
print("hELLO wOrld".title(), "hELLO".capitalize(), "aBc".swapcase(), "ß".upper(), "ŉ".upper(), "İ".lower(), "Straße".casefold(), "ǆ".title())
print("  x ".strip(), "xxaxx".strip("x"), "abcab".lstrip("ab"), "abcab".rstrip("ab"), "prefix.suf".removeprefix("prefix"), "prefix.suf".removesuffix(".suf"))
print("7".zfill(3), "-7".zfill(4), "ab".center(7, "*"), "ab".ljust(4) + "|", "ab".rjust(4), "a\tb".expandtabs(4))
print([m for m in ("isalpha", "isdigit", "isdecimal", "isnumeric", "isalnum", "isspace", "isupper", "islower", "istitle", "isidentifier", "isprintable", "isascii") if getattr("²", m)()])
print("abc1".isalnum(), "".isalpha(), "Abc Def".istitle(), "٣".isdecimal(), "½".isnumeric(), "a b".isprintable(), "\n".isprintable())
