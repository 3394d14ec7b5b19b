# What is wrong in an f-string's field is told as of a text of its own, in parentheses.
TEXT = True

def show(*sources, mode="exec"):
    for s in sources:
        try:
            compile(s, "<f>", mode)
            print(repr(s), "compiles")
        except SyntaxError as e:
            print(repr(s), e.msg, e.lineno, e.offset, TEXT and repr(e.text))

show("f'{!r}'", "f'{ !r}'", "f'{!s:3}'", "f'{:x}'", "f'{=}'", "f'{}'", "f'{ }'", "f'{!}'")
show("f'{**a}'", "f'{**}'", "f'{*}'", "f'{(*)}'", "f'{a,*}'", "(*)", "(**a)", "f(**)", "(**)")
show("f'{a b}'", "x = 1; y = f'abc {a b} d'", "f'''\n{a b}'''", "f'''\n{\na b}'''", "f'{a:{b c}}'")
show("f'{a $ b}'", "f'{lambda x:1}'", "rf'\\N{a b}'", "'x' f'{a b}'", "f'{f\"{a b}\"}'")
show("f'{a!x}'", "f'{a!}'", "f'{a'", "f'}'", "f'a{b\\n}'", "f'{a#b}'", "f'\\{6}'")
show("f'\\N{'", "f'\\N{}'", "f'\\N '", "f'\\N{GREEK'", "'\\N{'", "'\\N{x'", "'\\N'", "f'\\N{SPACE}{'")
show("f'{a}\\N{'", "f'{a}\\x1'", "f'\\x1{a b}'", "f'{a b}\\x1'", "f'\\N{SPACE}{a}\\N{nope'")
print(f"\N{SPACE}{1}\N{LATIN SMALL LETTER A}" f'{2}\N{SPACE}', rf"\N{3}")
# Other mistakes of arguments and line ends.
show("dict(a = i for i in range(10))", "f(b, a=i for i in r)", "f((x.y)=2)", "f(x for x in y, 1)")
TEXT = False
show("f'{\xa0}'")
show('"\\\n"(1 for c in I,\\\n\\', "x = \\", '"abc\\\n" + \\\n\\', "(\\")
show("def f(): pass", "if 1: pass", "@d\ndef f(): pass", "def f(): pass # c", "def f(): pass\n",
     "if 1:\n  pass", "x = 1", "def f(): pass # c\n", mode="single")
for s in (b"\xef\xbb\xbf#coding: utf8\n", b"\xef\xbb\xbf# coding: latin-1\n", b"# coding: nope\n"):
    try:
        compile(s, "<b>", "exec")
    except SyntaxError as e:
        print(e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset)

def f(**kw):
    pass
for call in (lambda: f(**{1: 3}, **{1: 5}), lambda: f(**{1: 3}), lambda: f(a=1, **{"a": 2})):
    try:
        call()
    except TypeError as e:
        print(e)
