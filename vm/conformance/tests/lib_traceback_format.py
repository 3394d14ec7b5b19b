# traceback.format_exc prints chained exceptions as CPython does.
# needs: lib
import traceback
def f(x): return 1 / x
try:
    try:
        f(0)
    except ZeroDivisionError as e:
        raise ValueError("outer") from e
except ValueError:
    lines = traceback.format_exc().splitlines()
for l in lines:
    print(l if "File" not in l else l[:7] + l[l.rindex('"'):])
