# The traceback of a failed import has no entry of the import system.
import sys


def depth(f):
    try:
        f()
    except ImportError as e:
        tb, n = e.__traceback__, 0
        while tb:
            n, tb = n + 1, tb.tb_next
        print(type(e).__name__, e.name, n)


def absent():
    import no_such_module_of_this_name


def inside():
    from importlib import no_such_name


depth(absent)
depth(inside)
print("{self}{0}".format(1, self=2), sys.modules["__main__"].__builtins__.len is len)
