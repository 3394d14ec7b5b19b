# A trace function sees calls, lines, returns and exceptions of new frames.
import sys

log = []


def tracer(frame, event, arg):
    if frame.f_code.co_filename != __file__:
        return None
    if event == "exception":
        arg = arg[0].__name__
    log.append((frame.f_code.co_name, event, frame.f_lineno - frame.f_code.co_firstlineno, arg))
    return tracer


def loop(n):
    t = 0
    for i in range(n):
        if i % 2:
            t += i
    return t


def raising():
    try:
        inner()
    except KeyError:
        return "caught"


def inner():
    raise KeyError("x")


def gen():
    yield 1
    yield 2


def consume():
    return list(gen())


def watch(f, *args):
    log.clear()
    sys.settrace(tracer)
    try:
        r = f(*args)
    finally:
        sys.settrace(None)
    print(f.__name__, r)
    for entry in log:
        print("  ", entry)


watch(loop, 3)
watch(raising)
watch(consume)
watch(lambda: sorted([3, 1, 2], key=lambda x: -x))
print(sys.gettrace())


def failing(frame, event, arg):
    raise ValueError(event)


try:
    sys.settrace(failing)
    loop(1)
except ValueError as e:
    print("raised", e, sys.gettrace())

calls = []


def profiler(frame, event, arg):
    if event in ("call", "return"):
        calls.append((frame.f_code.co_name, event))


sys.setprofile(profiler)
loop(2)
sys.setprofile(None)
print(calls, sys.getprofile())


def changing(n):
    total = 0
    for i in range(n):
        total += i
    return total


seen = []


def local(frame, event, arg):
    if event == "line" and "i" in frame.f_locals:
        seen.append(frame.f_locals["i"])
    return local


sys.settrace(lambda f, e, a: local if f.f_code is changing.__code__ else None)
changing(4)
sys.settrace(None)
print(seen)
