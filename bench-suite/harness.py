"""Time the iterations of one benchmark inside one fresh process.

    harness.py FOLDER/bench.py --inner N --iterations K

The benchmark file defines ``run(inner)``, which does a fixed amount of work
and returns an int or a str computed from all of it.  The harness calls it K
times and writes, each line flushed at once:

    sample <index> <wall_ns> <cpu_ns>      one per call, index from 0
    result <repr>                          last, when all calls agreed

Sample 0 is the first call in the process: nothing has run the benchmark's
code before it, so it holds the cost of warming up.  Reading and compiling the
file happens before the first clock is read.

Exit status: 0 all samples written; 1 the calls disagreed or the benchmark
raised; 2 wrong usage.  Only builtins, ``sys`` and ``time`` are used, so that a
virtual machine without a library can run it.
"""

import sys
import time

# Part of a benchmark's identity: raise it when a change here moves timings.
PROTOCOL = 1


def usage(problem):
    sys.stderr.write("harness: " + problem + "\n")
    sys.stderr.write("usage: harness.py BENCH_FILE --inner N --iterations K\n")
    sys.exit(2)


def positive(option, text):
    try:
        value = int(text)
    except ValueError:
        usage(option + " wants a whole number, got " + repr(text))
    if value < 1:
        usage(option + " must be at least 1, got " + text)
    return value


def parse(args):
    path = None
    counts = {}
    at = 0
    while at < len(args):
        word = args[at]
        if word in ("--inner", "--iterations"):
            if at + 1 == len(args):
                usage(word + " wants a value")
            counts[word] = positive(word, args[at + 1])
            at += 2
        elif word.startswith("-"):
            usage("unknown option " + word)
        elif path is None:
            path = word
            at += 1
        else:
            usage("more than one benchmark file: " + word)
    if path is None:
        usage("no benchmark file")
    for option in ("--inner", "--iterations"):
        if option not in counts:
            usage(option + " is missing")
    return path, counts["--inner"], counts["--iterations"]


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            source = file.read()
    except OSError as problem:
        usage("cannot read " + path + ": " + str(problem))
    namespace = {"__name__": "bench", "__file__": path}
    exec(compile(source, path, "exec"), namespace)
    if "run" not in namespace:
        usage(path + " defines no run(inner)")
    return namespace["run"]


def main():
    path, inner, iterations = parse(sys.argv[1:])
    run = load(path)
    wall = time.perf_counter_ns
    cpu = time.process_time_ns
    out = sys.stdout
    first = None
    for index in range(iterations):
        cpu_start = cpu()
        wall_start = wall()
        result = run(inner)
        wall_end = wall()
        cpu_end = cpu()
        out.write("sample %d %d %d\n" % (index, wall_end - wall_start, cpu_end - cpu_start))
        out.flush()
        if index == 0:
            first = result
        elif result != first:
            sys.stderr.write(
                "harness: call %d returned %r, call 0 returned %r\n" % (index, result, first)
            )
            sys.exit(1)
    out.write("result %r\n" % (first,))
    out.flush()


if __name__ == "__main__":
    main()
