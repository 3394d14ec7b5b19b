# What compiles but can hardly be meant is warned about, with CPython's texts; a filter that makes errors of warnings makes SyntaxErrors of these.

import warnings

PROGRAMS = [
    "0b1and 2", "0x1for x in y", "1if 2 else 3", "1jnot in x", "0o7is x",
    r"'\d'", r"x = '\477'", r"b'\u'", r"'a' 'b\d\e'", r"f'\d{x}\e'", r"f'\{x}'", r"rf'\d'", r"'\N{DIGIT ONE}\x41\u0041\12'",
    "assert (1, 2)", "assert ()", "assert x, (1, 2)",
    "x is 1", "1 is not x", "x is ()", "x is -1", "x is None", "x is None is 1", "not x is 1", "x is ...",
    "(1)(2)", "(x, y)(1)", "[1](2)", "''()", "f'{x}'()", "(x for x in y)()", "(lambda: 1)()", "None()", "x()()",
    "1[2]", "{1}[2]", "(lambda: 1)[1]", "'a'['b']", "[1][1, 2]", "f'a'[1.0]", "[1][1:2]", "[1][True]", "{}[1]", "1.5[0] = 3",
    "if x:\n    y = [\n        (1, 2)\n        (3, 4)\n    ]",
]
for text in PROGRAMS:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            compile(text, "<file>", "exec")
        except SyntaxError as e:
            print("refused:", e.msg)
    print(repr(text))
    for w in seen:
        print("   ", w.category.__name__, w.message, w.filename, w.lineno)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            compile(text, "<file>", "exec")
        except SyntaxError as e:
            print("    error:", e.msg, e.filename, e.lineno, e.offset, e.end_lineno, e.end_offset)
