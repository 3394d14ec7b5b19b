# Events of sys.settrace: a call is reported at the definition's line; f_trace_lines and f_trace_opcodes choose what a frame reports.

import sys


def events(f, *args, lines=True):
    seen = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename != __file__:
            return None
        frame.f_trace_lines = lines
        seen.append((frame.f_code.co_name, event, frame.f_lineno - f.__code__.co_firstlineno))
        return tracer

    sys.settrace(tracer)
    try:
        f(*args)
    finally:
        sys.settrace(None)
    return [e for e in seen if e[0] != "events"]


def simple(x):
    y = x
    return y


def closure(x):
    def inner():
        return x
    return inner()


def branches(x):
    if x > 1:
        y = 1
    elif x:
        y = 2
    else:
        y = 3


def loops():
    for i in range(2):
        pass
    n = 2
    while n:
        n -= 1


def generator():
    def gen():
        yield 1
        yield 2
    for x in gen():
        pass


def raises():
    try:
        1 / 0
    except ZeroDivisionError as e:
        pass
    finally:
        x = 1


def patterns(x):
    match x:
        case 1:
            return "one"
        case [_, y]:
            return y
        case _:
            return "other"


def with_():
    with open("/dev/null") as f:
        pass


def lambdas():
    f = lambda: (
        1
    )
    f()


for f, args in [(simple, (1,)), (closure, (2,)), (branches, (0,)), (branches, (1,)), (branches, (2,)), (loops, ()),
                (generator, ()), (raises, ()), (patterns, (1,)), (patterns, ([1, 2],)), (patterns, (3,)), (lambdas, ())]:
    print(f.__name__)
    for e in events(f, *args):
        print("   ", *e)
print(events(simple, 1, lines=False))

frame = sys._getframe()
print(frame.f_trace_lines, frame.f_trace_opcodes)
frame.f_trace_opcodes = True
print(frame.f_trace_opcodes)
frame.f_trace_opcodes = False
try:
    frame.f_trace_lines = 1
except TypeError as e:
    print(e)
