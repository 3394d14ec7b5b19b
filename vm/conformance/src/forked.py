"""Run a program twice, in a forked child and then in its parent.

    forked.py PROGRAM

A loop is made hot first, so that compiled code exists when the process forks;
the child ends before the parent begins, so the output is the program's, twice.
"""

import os
import sys


def warm(rounds):
    total = 0
    for i in range(rounds):
        total += i & 3
    return total


def main():
    path = sys.argv[1]
    warm(5000)
    sys.stdout.flush()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status & 0x7F:
            sys.stderr.write("the child died of signal %d\n" % (status & 0x7F))
            sys.exit(99)
    with open(path, "rb") as file:
        source = file.read()
    sys.argv = [path]
    # The program is `__main__`, also to those who look it up there, as pickle does.
    module = type(sys)("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    exec(compile(source, path, "exec"), module.__dict__)


# Keeps the names of `main` alive while another module stands in for this one.
driver = sys.modules["__main__"]
main()
