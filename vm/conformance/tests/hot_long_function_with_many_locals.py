# More than 256 locals and constants in a hot function.
src = "def f(n):\n" + "".join(f"    v{i} = {i}\n" for i in range(300)) + "    t = 0\n    for k in range(n):\n" + "".join(f"        v{i} += {i * 1000 + 7}\n" for i in range(0, 300, 10)) + "        t += v0 + v290\n    return t + " + " + ".join(f"v{i}" for i in range(300)) + "\n"
ns = {}
exec(src, ns)
print(ns["f"](200))
