# What except* blocks raise comes out in a group; jumps out of them are refused.
def show(f):
    try:
        f()
    except BaseException as e:
        print(f.__name__, repr(e), repr(e.__cause__))


def naked():
    try:
        raise ValueError(1)
    except* ValueError:
        raise SyntaxError(3)


def one():
    try:
        raise ExceptionGroup("eg", [ValueError(1)])
    except* ValueError:
        raise SyntaxError(3)


def again():
    try:
        raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
    except* ValueError:
        raise


def rest():
    try:
        raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
    except* ValueError as e:
        raise KeyError(3)


for f in (naked, one, again, rest):
    show(f)
for text in [
    "try: pass\nexcept* ValueError: break",
    "try: pass\nexcept* ValueError: continue",
    "for i in x:\n  try: pass\n  except* ValueError: break",
    "def f():\n  try: pass\n  except* ValueError: return",
    "match x:\n  case f'': pass",
]:
    try:
        compile(text, "<s>", "exec")
    except SyntaxError as e:
        print(e.msg, e.lineno)


import collections
import collections.abc


class Both1(collections.UserDict, collections.abc.Sequence):
    pass


class Both2(list, collections.abc.Mapping):
    pass


for x in (collections.defaultdict(int), collections.OrderedDict(a=1), Both1(), Both2(), collections.Counter("a")):
    match x:
        case [*_]:
            print(type(x).__name__, "sequence")
        case {**rest}:
            print(type(x).__name__, "mapping", rest)
