# Code whose globals have builtins of their own finds those, also in a hot loop.
g = {"__builtins__": {"len": lambda x: 7}}
f = eval("lambda: len('abc')", g)
total = 0
for i in range(3000):
    total += f()
print(total)
