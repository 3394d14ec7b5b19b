# A namespace that a trace rests on stays in place while the trace is recorded.

source = """
def helper(x):
    return x + 1

def run(n):
    total = 0
    for i in range(n):
        total = helper(total)
        kept = sorted([str(i), str(total)], key=len)
        kept = "-".join(kept).split("-")
    return total, kept
"""

def made():
    namespace = {}
    exec(source, namespace)
    return namespace["run"]

for turn in range(30):
    print(made()(25 + turn))

run = made()
print(run(40))
run.__globals__["helper"] = lambda x: x + 2
print(run(40))
