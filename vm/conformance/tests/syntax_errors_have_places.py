# Texts and places of syntax errors.
PROGRAMS = [
    "a = (42 if True)", "x = y = yield = 1", "a, b += 1, 2", "for i < (): pass", "match x:\n    y = 3",
    "match x:\n    case {**_}: ...", "match x:\n    case 42 as 1+2+4: ...", "def f(*None): pass",
    "def f(/,a,b=,c): pass", "def f(a,**b: int=3): pass", "def f(a=1,/*,b,c): pass", "def f(a=1,d=,c): pass",
    "def f(a,d: int=,c): pass", "def f(a,*b,c,*d): pass", "def f(**a, b): pass", "def f(a, (b, c)): pass",
    "lambda /,a,b,c: None", "lambda a=1,/*,b,c: None", "lambda a,*b=3,c: None", "lambda a,**b=3: None",
    "lambda a,d=,c: None", "lambda (x, y): None", "lambda **a, b: None",
    "if 1:\n  x() = 1\nelif 1:\n  pass", "if 1:\n  pass\nelse:\n  x() = 1",
    "if x = 3: pass", "while x = 3: pass", "(x, y, z=3, d)", "[z=3]", "{x, y=3}",
    "[x,y for x,y in z]", "{x,y for x,y in z}", "{**{} for a in [1]}", "{1: *12+1, 23: 1}",
    "class R&D: pass", "class A\n  pass", "for x in range 10: pass", "for x in range(10)\n  pass", "while True\n  pass",
    "with a as b\n  pass", "try\n  pass", "match x\n  case 1: pass", "match x:\n  case [y] if y > 0\n    pass",
    "raise X, Y", "try: pass\nexcept A, B, C as e: pass", "try:\n  pass\nexcept* A:\n  pass\nexcept B:\n  pass",
    "A[:*b]", "A[*b:]", "A[*(1:2)]", "x: *b", "def f(x: *b): pass", "from t import x,",
    "print 1", "print a, b", "print {1:(foo.)}", "exec 'x'", "f(a, print b)",
    "p = p =", "f(x for x in y, 1)", "(x)(y z)",
]
for text in PROGRAMS:
    try:
        compile(text + "\n", "<s>", "exec")
    except SyntaxError as e:
        print(repr(text), type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset)
    else:
        print(repr(text), "compiles")
