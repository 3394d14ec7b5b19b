# eval and exec use the given globals and locals.
g = {"x": 10}
print(eval("x + 1", g), "__builtins__" in g)
l = {}
exec("y = x * 2\ndef f(): return x", g, l)
print(l["y"], l["f"](), "y" in g)
def f():
    v = 3
    exec("v = 4")
    return v, eval("v + 1"), sorted(locals())
print(f())
exec("global_made = 5")
print(global_made)
class M(dict):
    def __missing__(self, k): return "missing " + k
print(eval("abc", {}, M()))
for text in ("eval('1 +')", "eval('x = 1')", "eval('')", "exec('1', 5)", "eval(5)"):
    try:
        eval(text)
    except (SyntaxError, TypeError) as e:
        print(type(e).__name__, e.msg if isinstance(e, SyntaxError) else e)
