# A recursive-descent parser over a text with all kinds of values.
def parse(s):
    def ws(i):
        while i < len(s) and s[i] in " \n": i += 1
        return i
    def value(i):
        i = ws(i)
        c = s[i]
        if c == "{":
            d = {}
            i = ws(i + 1)
            while s[i] != "}":
                k, i = value(i)
                i = ws(i)
                assert s[i] == ":"
                d[k], i = value(i + 1)
                i = ws(i)
                if s[i] == ",": i = ws(i + 1)
            return d, i + 1
        if c == "[":
            l = []
            i = ws(i + 1)
            while s[i] != "]":
                v, i = value(i)
                l.append(v)
                i = ws(i)
                if s[i] == ",": i += 1
            return l, i + 1
        if c == '"':
            j = s.index('"', i + 1)
            return s[i + 1:j], j + 1
        for word, v in (("true", True), ("false", False), ("null", None)):
            if s.startswith(word, i): return v, i + len(word)
        j = i
        while j < len(s) and s[j] in "+-.eE0123456789": j += 1
        t = s[i:j]
        return (float(t) if "." in t or "e" in t else int(t)), j
    return value(0)[0]
text = '{"a": [1, 2.5, -3e2, true, null], "b": {"c": "x y", "d": []}, "e": false}'
r = parse("[" + ", ".join([text] * 50) + "]")
print(len(r), r[49])
