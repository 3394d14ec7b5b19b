# A bare raise re-raises the same exception, also after a nested one was handled.
try:
    try:
        raise ValueError("first")
    except ValueError as e:
        keep = e
        try:
            raise KeyError("second")
        except KeyError:
            pass
        raise
except ValueError as e:
    print(e is keep, repr(e.__context__))
import sys
print(sys.exc_info())
