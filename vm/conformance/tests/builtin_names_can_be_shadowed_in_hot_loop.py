# A builtin replaced in the module or in builtins takes effect at once in a hot loop.
import sys
builtins = sys.modules["builtins"]
def f(n):
    t = 0
    for i in range(n):
        t += len("abc")
        if i == 100: globals()["len"] = lambda x: 1000
        if i == 200: del globals()["len"]
        if i == 300: builtins.len = lambda x: 1000000
    return t
keep = len
try:
    print(f(400))
finally:
    builtins.len = keep
print(len("ab"))
