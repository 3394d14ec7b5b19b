# except takes a class, a tuple, or a bare clause; the first match wins.
def f(x):
    try:
        raise x
    except (KeyError, IndexError) as e:
        return "lookup " + type(e).__name__
    except ArithmeticError:
        return "arithmetic"
    except Exception:
        return "exception"
    except:
        return "bare"
print(f(KeyError()), f(ZeroDivisionError()), f(ValueError()), f(KeyboardInterrupt()), f(SystemExit))
try:
    try:
        raise ValueError
    except 5:
        pass
except TypeError as e:
    print(e)
try:
    raise 5
except TypeError as e:
    print(e)
try:
    raise
except RuntimeError as e:
    print(e)
