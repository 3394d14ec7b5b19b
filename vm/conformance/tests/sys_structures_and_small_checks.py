# Constructors that check their arguments: structures, tracebacks, files, groups.
# needs: lib
import sys, time, types, warnings

def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)

attempt(lambda: type(sys.flags)())
attempt(lambda: type(sys.version_info)((3, 11, 2, "final", 0)))
attempt(lambda: time.struct_time("123456789", dict=None))
attempt(lambda: time.struct_time("123456789", {"tm_zone": "x"}).tm_zone)
attempt(lambda: time.struct_time("12345678"))

frame = sys._getframe()
for n in (20, 21, -1):
    print(types.TracebackType(None, frame, n, 7).tb_lasti)

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with open("/dev/null", "wb", 1) as f:
        print(type(f).__name__)
    print([str(w.message) for w in caught])

def deep():
    e = TypeError(1)
    for i in range(2000):
        e = ExceptionGroup("eg", [e])
    return e
attempt(lambda: deep().split(TypeError) and None)
attempt(lambda: deep().subgroup(TypeError) and None)

# The part of a group that is left keeps its nesting, and only that.
try:
    try:
        raise ExceptionGroup("j1", [ExceptionGroup("j2", [
            ExceptionGroup("j3", [ValueError("V1")]), ExceptionGroup("j4", [TypeError("T")])])])
    except* TypeError:
        pass
except ExceptionGroup as e:
    print(repr(e))
s = "abc"
print(s.__getnewargs__(), s.__getnewargs__()[0] is s)
import unicodedata
attempt(lambda: unicodedata.ucd_3_2_0.lookup("LATIN SMALL LETTER GHA"))
attempt(lambda: ascii(unicodedata.ucd_3_2_0.lookup("latin small letter oi")))

import platform, gc
print(platform.python_version_tuple()[:2], type(platform.python_implementation()).__name__)
print(sorted(gc.get_referents([1, 2], {3: 4}, (0, 0, 0))), gc.get_referents(1, "a", 4j))
class UserInt(int):
    __slots__ = ()
print([gc.is_tracked(x) for x in (type, int, 1, "a", object(), UserInt(), UserInt, [], gc)])
