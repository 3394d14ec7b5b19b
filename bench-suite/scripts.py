"""Run a benchmark program that somebody wrote for pyperf, unmodified, inside one fresh process.

    scripts.py SCRIPT.py --inner N --iterations K

The script finds a module ``pyperf`` whose ``Runner`` calls what it is given K
times, N loops a time, in this very process, and starts no others: how many
processes there are, how they are interleaved and where they run is the
business of the platform.  The conversation is that of harness.py:

    sample <index> <wall_ns> <cpu_ns>      one per iteration, index from 0
    result 'ran'                           last

A script may time several things; an iteration is then one round of each, and
its time their sum, so all samples are written at the end.  What it prints
itself goes to standard error.  Such a script checks nothing: that it ran to its
end is all that is known of its result.

Exit status: 0 all samples written; 1 the script raised; 2 wrong usage; 77 the
script cannot run here (a module is missing, or it times whole commands).
"""

import sys
import time

UNSUPPORTED = 77


class Unsupported(Exception):
    """The script wants what only pyperf itself can do."""


class Result(object):
    """What the methods of Runner return; pyperf gives a Benchmark."""

    def __init__(self, name):
        self.name = name

    def get_name(self):
        return self.name


class Timer(object):
    """The samples of all that the script times, iteration by iteration."""

    def __init__(self, inner, iterations):
        self.inner = inner
        self.wall = [0] * iterations
        self.cpu = [0] * iterations
        self.used = False

    def add(self, index, wall_ns, cpu_ns):
        self.wall[index] += wall_ns
        self.cpu[index] += cpu_ns

    def rounds(self, once):
        """Calls ``once`` for each iteration; it returns seconds, or None for "take the time of the call"."""
        self.used = True
        for index in range(len(self.wall)):
            cpu = time.process_time_ns()
            wall = time.perf_counter_ns()
            told = once()
            wall = time.perf_counter_ns() - wall
            cpu = time.process_time_ns() - cpu
            if told is not None:
                # What the function leaves out of its time is left out of the processor's in proportion.
                share = min(1.0, told * 1e9 / wall) if wall else 1.0
                wall, cpu = max(1, int(told * 1e9)), int(cpu * share)
            self.add(index, wall, cpu)


def module(timer):
    """The module that the script imports as pyperf."""

    class Runner(object):
        def __init__(self, values=None, processes=None, program_args=None, add_cmdline_args=None, **ignored):
            self.metadata = {}
            self.args = None
            self._argparser = None

        @property
        def argparser(self):
            if self._argparser is None:
                import argparse

                self._argparser = argparse.ArgumentParser()
            return self._argparser

        def parse_args(self, args=None):
            if self.args is None:
                self.args = self.argparser.parse_args(args)
            return self.args

        def bench_func(self, name, func, *args, inner_loops=None, metadata=None):
            self.parse_args()
            loops = range(timer.inner)

            def once():
                for _ in loops:
                    func(*args)

            timer.rounds(once)
            return Result(name)

        def bench_time_func(self, name, time_func, *args, inner_loops=None, metadata=None):
            self.parse_args()
            timer.rounds(lambda: time_func(timer.inner, *args))
            return Result(name)

        def bench_async_func(self, name, func, *args, inner_loops=None, metadata=None, loop_factory=None):
            import asyncio

            self.parse_args()

            async def all_loops():
                start = time.perf_counter()
                for _ in range(timer.inner):
                    await func(*args)
                return time.perf_counter() - start

            timer.rounds(lambda: asyncio.run(all_loops()))
            return Result(name)

        def bench_async_time_func(self, name, time_func, *args, inner_loops=None, metadata=None, loop_factory=None):
            import asyncio

            self.parse_args()
            timer.rounds(lambda: asyncio.run(time_func(timer.inner, *args)))
            return Result(name)

        def timeit(self, name, stmt=None, setup="pass", teardown="pass", inner_loops=None, duplicate=None,
                   metadata=None, globals=None):
            self.parse_args()
            names = globals if globals is not None else {}
            before = compile(setup, "<setup>", "exec")
            body = compile(stmt if stmt is not None else name, "<stmt>", "exec")
            after = compile(teardown, "<teardown>", "exec")
            loops = range(timer.inner)

            def once():
                exec(before, names)
                start = time.perf_counter()
                for _ in loops:
                    exec(body, names)
                took = time.perf_counter() - start
                exec(after, names)
                return took

            timer.rounds(once)
            return Result(name)

        def bench_command(self, name, command):
            raise Unsupported("it times a whole command: " + name)

    pyperf = type(sys)("pyperf")
    pyperf.Runner = Runner
    pyperf.perf_counter = time.perf_counter
    pyperf.VERSION = (2, 0, 0)
    pyperf.__version__ = "2.0.0"
    pyperf.python_implementation = lambda: sys.implementation.name
    pyperf.python_has_jit = lambda: sys.implementation.name != "cpython"
    return pyperf


def usage(problem):
    sys.stderr.write("scripts: " + problem + "\nusage: scripts.py SCRIPT --inner N --iterations K\n")
    sys.exit(2)


def parse(args):
    if len(args) != 5 or args[1] != "--inner" or args[3] != "--iterations":
        usage("one script, --inner and --iterations, in this order")
    try:
        inner, iterations = int(args[2]), int(args[4])
    except ValueError:
        usage("whole numbers are wanted")
    if inner < 1 or iterations < 1:
        usage("numbers must be at least 1")
    return args[0], inner, iterations


def main():
    path, inner, iterations = parse(sys.argv[1:])
    try:
        with open(path, encoding="utf-8") as file:
            source = file.read()
    except OSError as problem:
        usage("cannot read " + path + ": " + str(problem))
    timer = Timer(inner, iterations)
    sys.modules["pyperf"] = module(timer)
    sys.argv = [path]
    sys.path[0] = path.rpartition("/")[0] or "."
    out = sys.stdout
    sys.stdout = sys.stderr
    main_module = type(sys)("__main__")
    main_module.__file__ = path
    # What pickles or looks up its own module finds it.
    sys.modules["__main__"] = main_module
    try:
        exec(compile(source, path, "exec"), main_module.__dict__)
    except SystemExit as end:
        if end.code not in (None, 0):
            sys.stderr.write("scripts: the script ended with %r\n" % (end.code,))
            sys.exit(1)
    except (ImportError, Unsupported) as problem:
        sys.stderr.write("scripts: cannot run here: %s: %s\n" % (type(problem).__name__, problem))
        sys.exit(UNSUPPORTED)
    if not timer.used:
        sys.stderr.write("scripts: cannot run here: nothing was timed\n")
        sys.exit(UNSUPPORTED)
    for index in range(iterations):
        out.write("sample %d %d %d\n" % (index, timer.wall[index], timer.cpu[index]))
    out.write("result 'ran'\n")
    out.flush()


if __name__ == "__main__":
    main()
