# eval and exec of one code object in a hot loop see current values.
def f(n):
    code = compile("a * 2 + b", "<e>", "eval")
    t = 0
    for i in range(n):
        t += eval(code, {"a": i, "b": t % 3})
    ns = {"t": 0}
    exec("for i in range(500):\n  t += i", ns)
    return t, ns["t"]
print(f(300))
