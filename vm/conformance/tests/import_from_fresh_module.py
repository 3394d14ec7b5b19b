# A module is executed once, cached in sys.modules, and import forms bind as they should.
# needs: lib
import sys, types
m = types.ModuleType("made", "doc")
m.x = 1
m._hidden = 2
sys.modules["made"] = m
import made
from made import x as y
exec("from made import *")
print(made is m, y, "x" in globals(), "_hidden" in globals(), m.__doc__, repr(m))
for s in ("from made import nope", "import no_such_module_here", "from . import z"):
    try:
        exec(s)
    except ImportError as e:
        print(type(e).__name__, e)
m.__getattr__ = lambda n: "dyn " + n
print(m.anything)
