# Common syntax errors give CPython's texts and positions.
for t in ("x = ", "if x\n  y", "def f(:", "for i in", "a = 1 b = 2", "(1, 2", "f(a=1, 2)", "x = 5 = y",
          "return 1", "break", "continue", "yield 1", "nonlocal x", "def f(a, a): pass", "'abc", "1 = x",
          "f() = 1", "del f()", "class C\n pass", "else: pass", "  indented", "if 1:\nx", "lambda: (yield) = 1",
          "import", "from x import *, y", "a +", "print 'x'", "def f():\n  x = 1\n  global x", "{1: 2, 3}", "x++",
          "async def f(): yield from x", "f(**a, *b)", "f(x for x in y, 1)", "None = 1", "a, b += 1", "not = 1", "0777", "1__0", "'\\N{nope}'", "b'é'", "@", "try: pass", "while True print(1)"):
    try:
        compile(t, "f.py", "exec")
        print("no error", repr(t))
    except SyntaxError as e:
        print(repr(t), "|", type(e).__name__, "|", e.msg, "|", e.lineno)
