# Import statements go on working when sys.modules denies importlib.
import sys
saved = {name: sys.modules.pop(name, None) for name in ("_frozen_importlib", "_frozen_importlib_external", "colorsys")}
sys.modules["_frozen_importlib"] = None
import colorsys
print(colorsys.rgb_to_hls(0, 0, 0))
try:
    import _frozen_importlib
except ImportError as e:
    print(type(e).__name__, e)
try:
    import no_such_module_at_all
except ImportError as e:
    print(type(e).__name__, e)
sys.modules.update((n, m) for n, m in saved.items() if m is not None)

try:
    sys.setrecursionlimit(1)
except RecursionError as e:
    print(str(e)[:46])
