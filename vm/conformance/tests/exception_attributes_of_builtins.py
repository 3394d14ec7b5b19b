# Built-in exceptions carry their arguments and special attributes.
e = ValueError(1, "two")
print(e.args, str(e), repr(e), str(ValueError()), repr(ValueError("x")))
try:
    {}["k"]
except KeyError as e:
    print(e, e.args)
try:
    undefined_name
except NameError as e:
    print(e.name)
try:
    (1).nope
except AttributeError as e:
    print(e.name, e.obj)
s = StopIteration(7)
print(s.value, SystemExit(3).code, OSError(2, "no", "file").filename, OSError(2, "no").errno)
print(type(OSError(2, "x")).__name__, str(OSError(13, "denied", "f")))
u = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")
print(u, u.start, u.object)
n = ValueError("v")
n.add_note("a note")
print(n.__notes__)
