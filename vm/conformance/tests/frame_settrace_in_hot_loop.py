# sys.settrace switched on inside a hot loop sees the calls that follow.
import sys
def callee(x): return x + 1
def run(n):
    calls = []
    def tracer(frame, event, arg):
        if event == "call": calls.append(frame.f_code.co_name)
        return None
    t = 0
    for i in range(n):
        if i == n - 3: sys.settrace(tracer)
        t = callee(t)
    sys.settrace(None)
    return t, calls
print(run(300))
