# The built-in exceptions have CPython's bases.
for name in ("ZeroDivisionError", "KeyError", "IndexError", "UnicodeDecodeError", "ModuleNotFoundError",
             "RecursionError", "NotImplementedError", "UnboundLocalError", "FileNotFoundError",
             "BrokenPipeError", "IndentationError", "TabError", "GeneratorExit", "StopAsyncIteration",
             "ExceptionGroup", "BaseExceptionGroup", "DeprecationWarning", "EncodingWarning"):
    print(name, [c.__name__ for c in getattr(__builtins__, name).__mro__[1:-1]])
print(IOError is OSError, EnvironmentError is OSError)
