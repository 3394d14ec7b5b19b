# Code of a module made a function runs in the function's globals.
# needs: lib
import sys, types

def function(text, mode, names):
    return types.FunctionType(compile(text, "<s>", mode), names)

g = {"a": 0}
f = function("a = 1\nb = a + 1\ndef h(): return b\nc = h()", "exec", g)
print(f(), [g[k] for k in "abc"])
try:
    f(1)
except TypeError as e:
    print(e)
print(function("a + 41", "eval", g)())

class A:
    x = 7
    function("z = 5", "exec", g)()
print(g["z"], sorted(k for k in vars(A) if k == "z"))

def hot():
    f = function("a = a + 1", "exec", g)
    for i in range(3000):
        f()
hot()
print(g["a"])
print(sorted(k for k in function("locals()", "eval", g)() if k != "__builtins__"))
import ast
co = compile("a = await give()", "<s>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
async def give():
    return 9
g["give"] = give
try:
    types.FunctionType(co, g)().send(None)
except StopIteration:
    print(g["a"])

# The limit on digits is the program's.
old = sys.get_int_max_str_digits()
for limit in (700, 0):
    sys.set_int_max_str_digits(limit)
    try:
        compile("\n\nx = " + "1" * 5000, "<s>", "exec")
        print("compiles")
    except SyntaxError as e:
        print(e.msg[:40], e.lineno)
sys.set_int_max_str_digits(old)
