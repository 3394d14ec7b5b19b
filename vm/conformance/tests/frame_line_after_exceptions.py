# f_lineno of a frame that an exception left is where the exception left it (PEP 626), and falling off the end belongs to the line that led there.

import sys


def lines(f):
    try:
        f()
    except Exception as e:
        t = e.__traceback__.tb_next
    out = []
    while t:
        frame = t.tb_frame
        first = frame.f_code.co_firstlineno
        out.append((t.tb_lineno - first, frame.f_lineno - first))
        t = t.tb_next
    return out


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False


class Raising(Manager):
    def __exit__(self, *exc):
        1 / 0


def simple():
    1 / 0


def in_except():
    try:
        1 / 0
    except Exception:
        1 / 0


def other_except():
    try:
        1 / 0
    except TypeError as e:
        pass


def named():
    try:
        1 / 0
    except Exception as e:
        pass
        raise
    finally:
        pass


def with_():
    with Manager():
        pass
        1 / 0
    pass


def with_exit():
    with Raising():
        pass
        1 / 0


def finally_():
    try:
        1 / 0
    finally:
        x = 1
        y = 2


def finally_except():
    try:
        pass
    finally:
        try:
            1 / 0
        except KeyError:
            pass


def nested():
    for i in range(2):
        with Manager():
            try:
                if i:
                    raise ValueError
            except KeyError:
                pass
            else:
                pass


for f in (simple, in_except, other_except, named, with_, with_exit, finally_, finally_except, nested):
    print(f.__name__, lines(f))

frame = None


def save():
    global frame
    frame = sys._getframe(1)


TRUE = True


def if1(x):
    x()
    if TRUE:
        pass


def if2(x):
    x()
    if TRUE:
        pass
    else:
        pass


def if3(x):
    x()
    if not TRUE:
        pass


def loop(x):
    x()
    for i in range(2):
        if i == 5:
            continue


def while_(x):
    x()
    n = 3
    while n:
        n -= 1


def match_(x):
    x()
    match n:
        case 1:
            pass
        case 2:
            pass


n = 3
for f in (if1, if2, if3, loop, while_, match_):
    f(save)
    print(f.__name__, frame.f_lineno - f.__code__.co_firstlineno)


class Node:
    def __del__(self):
        pass


# The recursion limit holds for small frames after large ones, too.
def relative(n):
    depth = 1
    while True:
        try:
            sys.setrecursionlimit(depth)
        except RecursionError:
            depth += 1
        else:
            break
    sys.setrecursionlimit(depth + n)


count = 0


def both():
    global count
    count += 1
    try:
        both()
    except RecursionError:
        both()


relative(5)
try:
    both()
except RecursionError:
    pass
sys.setrecursionlimit(1000)
print(count)
