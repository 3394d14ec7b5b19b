# Trace and profile functions see calls from compiled code, from the instruction on that sets them.
import sys

def callee(x):
    return x + 1

def key(x):
    return -x

def inner(n, at):
    t = 0
    for i in range(3):
        t += callee(i)
    if n == at:
        sys.settrace(tracer)
    return t + n

def tracer(frame, event, arg):
    if event == "call":
        calls.append((frame.f_code.co_name, frame.f_lineno))

def run(n, at):
    t = 0
    for i in range(n):
        t += inner(i, at)
        t = callee(t)
    sys.settrace(None)
    return t

for n, at in [(300, 297), (300, 298), (300, 150), (10, 3)]:
    calls = []
    print(run(n, at), len(calls), calls[:9])

calls = []
for i in range(400):
    sorted([3, 1, 2], key=key)
    if i == 398:
        sys.settrace(tracer)
sys.settrace(None)
print(calls)

events = []


def profiler(frame, event, arg):
    if event in ("call", "return"):
        events.append((event, frame.f_code.co_name))


def profiled(n, at):
    t = 0
    for i in range(n):
        if i == at:
            sys.setprofile(profiler)
        t = callee(t)
    sys.setprofile(None)
    return t


print(profiled(300, 297), events)
