# Deeply nested expressions, calls and containers compile and run.
print(eval("(" * 90 + "1" + ")" * 90), eval("[" * 90 + "]" * 90) is not None, eval("-" * 500 + "1"), eval("1" + "+1" * 2000), eval("not " * 301 + "True"))
s = "x"
for _ in range(60): s = f"({s} if x else 0)"
x = 5
print(eval(s))
