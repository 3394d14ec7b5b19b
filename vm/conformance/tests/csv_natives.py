# Readers, writers and dialects of _csv.
import csv, _csv, io

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

def read(text, *args, **kw):
    return attempt(lambda: list(csv.reader(text if isinstance(text, list) else text.splitlines(True), *args, **kw)))

def write(rows, *args, **kw):
    out = io.StringIO()
    r = attempt(lambda: csv.writer(out, *args, **kw).writerows(rows))
    return r, out.getvalue()

for text in ["a,b\r\n1,2\r\n", 'a,"b,c","d""e"\n', "", "\n", "a\n\nb\n", '"multi\nline",x\n', ' a, "b" ,c\n', '"unfinished', 'x"y"z\n', '"a"b,c\n', "a,\n", ",\n", "a\rb\n", '"a\r\nb"\r\n']:
    print(repr(text), read(text), read(text, strict=True), read(text, skipinitialspace=True))
print(read("1,a,'2'\n", quoting=csv.QUOTE_NONNUMERIC, quotechar="'"), read('1,"2"\n', quoting=csv.QUOTE_NONNUMERIC), read("a\\,b\\\nc,d\n", escapechar="\\"), read("a'b;c\n", delimiter=";", quotechar=None), read('"a\\"b"\n', escapechar="\\", doublequote=False), read('a,"b"\n', quoting=csv.QUOTE_NONE), read(["a\rb"]), read([b"a"]), read("a\tb\n", "excel-tab"), read("a", "nope"))
rows = [["a", 1, None, 2.5], ["x,y", 'q"q', "l\nl", ""], [], [""], [None], (i for i in "ab")]
for kw in [{}, {"quoting": csv.QUOTE_ALL}, {"quoting": csv.QUOTE_NONNUMERIC}, {"delimiter": ";", "lineterminator": "!"}, {"quotechar": "'"}]:
    rows[-1] = iter("ab")
    print(write(rows, **kw))
print(write([["a,b"]], quoting=csv.QUOTE_NONE), write([["a,b", 'c"', "\\"]], quoting=csv.QUOTE_NONE, escapechar="\\"), write([[""]], quoting=csv.QUOTE_NONE), write([['a"b']], doublequote=False), write([['a"b']], doublequote=False, escapechar="\\"), write([5]), write(5))
r = csv.reader(["a\n", '"b\n', 'c"\n', "d"])
for row in r:
    print(r.line_num, row)
print(r.dialect.delimiter, attempt(setattr, r, "line_num", 5))
for kw in [dict(delimiter=''), dict(delimiter=None), dict(delimiter='ab'), dict(delimiter=1), dict(quotechar=''), dict(quotechar=None), dict(quotechar=4), dict(escapechar=5), dict(quoting='a'), dict(quoting=7), dict(lineterminator=None), dict(lineterminator=5), dict(doublequote=5, strict=None), dict(quotechar=None, quoting=1)]:
    print(kw, attempt(lambda: {k: getattr(_csv.Dialect(**kw), k) for k in ('delimiter', 'quotechar', 'escapechar', 'quoting', 'lineterminator', 'doublequote', 'skipinitialspace', 'strict')}))
csv.register_dialect("semi", delimiter=";")
print(sorted(csv.list_dialects()), csv.get_dialect("semi").delimiter, read("a;b\n", "semi"), read("a;b\n", csv.get_dialect("semi"), delimiter=","), csv.unregister_dialect("semi"), attempt(csv.get_dialect, "semi"), attempt(csv.unregister_dialect, "semi"), attempt(csv.register_dialect, 5))
print(attempt(csv.writer, 5), attempt(csv.reader, 5), attempt(csv.reader, [], foo=1), csv.field_size_limit(), csv.field_size_limit(3), read("abcd\n"), csv.field_size_limit(131072), attempt(csv.field_size_limit, "a"))
out = io.StringIO()
w = csv.DictWriter(out, ["a", "b"]); w.writeheader(); w.writerow({"a": 1, "b": "x,y"}); print(repr(out.getvalue()), list(csv.DictReader(io.StringIO(out.getvalue()))))
print(csv.Sniffer().sniff("a;b;c\n1;2;3\n").delimiter, csv.Error.__module__, type(w.writer).__name__)
