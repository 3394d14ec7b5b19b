# compile makes code objects in three modes; single prints expressions.
c = compile("1 + 2", "<t>", "eval")
print(eval(c), c.co_filename, c.co_name)
exec(compile("a = 5\nb = a + 1", "<t>", "exec"))
print(b)
exec(compile("7 * 6", "<t>", "single"))
try:
    compile("1", "<t>", "nope")
except ValueError as e:
    print(e)
try:
    compile("a b", "file.py", "exec")
except SyntaxError as e:
    print(e.msg, e.filename, e.lineno, e.offset, e.text)
try:
    compile("x\0y", "<t>", "exec")
except (ValueError, SyntaxError) as e:
    print(e)
