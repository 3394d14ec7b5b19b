# Calls with hundreds of arguments and displays with thousands of items.
def f(*a, **k): return len(a), len(k)
print(eval("f(" + ", ".join(map(str, range(500))) + ")", {"f": f}), eval("f(" + ", ".join(f"k{i}={i}" for i in range(300)) + ")", {"f": f}))
print(len(eval("[" + ", ".join(map(str, range(5000))) + "]")), len(eval("{" + ", ".join(f"{i}: {i}" for i in range(3000)) + "}")), sum(eval("(" + "1, " * 3000 + ")")))
