# An uncaught exception prints a traceback and gives exit status 1.
# check: stderr
print("before", flush=True)
def f(x):
    return 1 // x
f(0)
