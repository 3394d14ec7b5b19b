# Code whose globals name builtins of their own sees those and no others.
def run(code, **globals_):
    try:
        exec(code, globals_)
    except Exception as e:
        print(type(e).__name__, e)
    else:
        print(sorted(k for k in globals_ if k != "__builtins__"))


run("x = len('abc')", __builtins__={"len": lambda s: "own"})
run("x = len('abc')", __builtins__={})
run("def f(): return len('abc')\nx = f()", __builtins__={})
run("class C: pass", __builtins__={})
run("class C: pass", __builtins__={"__build_class__": __build_class__, "__name__": "m"}, __name__="m")
run("x = len('abc')", __builtins__=__builtins__)
run("x = len('abc')")
scope = {"__builtins__": {"print": print}}
exec("def f(n):\n  for i in range(n): pass\n", scope)
try:
    scope["f"](1)
except NameError as e:
    print(e)
scope = {"__builtins__": {"print": print, "range": range}}
exec("def f(n):\n  t = 0\n  for i in range(n): t += i\n  return t\n", scope)
print(scope["f"](500))
