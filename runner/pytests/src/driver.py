"""Run one test module on the VM under test and report case by case.

    driver.py REPORT DONE ROOT MODULE

REPORT  file that receives one line per event, appended and never buffered, so
        that a crash or a hang loses nothing that had happened before it
DONE    file with the names of cases not to run again, one a line
ROOT    folder that holds the `test` package, or "-" for the VM's own
MODULE  the test module, "test.test_int"

Lines are tab-separated; a field's backslash, tab, newline and carriage return
are written \\\\ \\t \\n \\r:

    loading                         the driver itself works
    noload    REASON                the module cannot be imported or collected
    skipmodule REASON               the module raised SkipTest
    plan      NAME                  a case that will run, in order
    ready     COUNT                 end of the plan
    start     NAME
    end       NAME OUTCOME MICROSECONDS DETAIL
    fixture   WHERE OUTCOME DETAIL  setUpClass and its like failed or skipped
    stopped   REASON                the run was cut short from inside
    done      CPU_MICROSECONDS      every planned case was reached

Only `sys`, `os`, `time` and `unittest` are wanted here; `test.support` is set
up as regrtest does where it can be imported.
"""

import os
import sys
import time
import unittest

# Kept by value: tests patch these modules.
clock = time.perf_counter
cpu_clock = time.process_time
getpid = os.getpid
write_fd = os.write
open_fd = os.open
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
MARK = "_nightjar_case"


class Report:
    """The side file.  A forked child never writes to it."""

    def __init__(self, path):
        self.path = path
        self.owner = getpid()
        fd = open_fd(path, FLAGS, 0o600)
        try:
            # Tests that close the low descriptors leave this one alone.
            os.dup2(fd, 230, False)
            os.close(fd)
            fd = 230
        except (OSError, AttributeError):
            pass
        self.fd = fd

    def line(self, *fields):
        if getpid() != self.owner:
            return
        text = "\t".join([escape(field) for field in fields]) + "\n"
        data = text.encode("utf-8", "backslashreplace")
        try:
            write_fd(self.fd, data)
        except OSError:
            self.fd = open_fd(self.path, FLAGS, 0o600)
            write_fd(self.fd, data)


def escape(field):
    field = str(field).replace("\\", "\\\\").replace("\t", "\\t")
    return field.replace("\n", "\\n").replace("\r", "\\r")


def unescape(text):
    parts = text.split("\\\\")
    for at, part in enumerate(parts):
        parts[at] = part.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r")
    return "\\".join(parts)


def describe(kind, value):
    """One line for an exception, as a traceback's last line would read."""
    try:
        text = str(value)
    except Exception:
        text = "<unprintable>"
    first = ""
    for line in text.split("\n"):
        if line.strip():
            first = line.strip()
            break
    name = getattr(kind, "__name__", "exception")
    module = getattr(kind, "__module__", "builtins")
    if module not in ("builtins", "__main__"):
        name = str(module) + "." + name
    return (name + ": " + first if first else name)[:400]


RANK = {"pass": 0, "xfail": 1, "skip": 2, "xpass": 3, "fail": 4, "error": 5}


class Result(unittest.TestResult):
    """Sums up what unittest says of one case, its subtests included."""

    def __init__(self, report):
        super().__init__()
        self.report = report
        self.name = None
        self.outcome = None
        self.detail = ""
        self.began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.name = getattr(test, MARK, None) or test.id()
        self.outcome = None
        self.detail = ""
        self.report.line("start", self.name)
        self.began = clock()

    def stopTest(self, test):
        # KeyboardInterrupt passes through here on its way out of the suite.
        problem = sys.exc_info()[1]
        why = describe(type(problem), problem) if problem else "the case ended without an outcome"
        self.finish("error", why)
        super().stopTest(test)

    def finish(self, outcome, detail):
        """Write the end of the case in flight; `outcome` if it has none."""
        if self.name is None:
            return
        if self.outcome is None:
            self.outcome, self.detail = outcome, detail
        spent = int((clock() - self.began) * 1e6)
        self.report.line("end", self.name, self.outcome, max(spent, 0), self.detail)
        self.name = None

    def settle(self, outcome, detail=""):
        if self.outcome is None or RANK[outcome] > RANK[self.outcome]:
            self.outcome = outcome
            self.detail = detail

    def fixture(self, test, outcome, detail):
        self.report.line("fixture", test.id(), outcome, detail)

    def addSuccess(self, test):
        self.settle("pass")

    def addFailure(self, test, err):
        self.settle("fail", describe(err[0], err[1]))

    def addError(self, test, err):
        if self.name is None:
            self.fixture(test, "error", describe(err[0], err[1]))
        else:
            self.settle("error", describe(err[0], err[1]))

    def addSkip(self, test, reason):
        if self.name is None:
            self.fixture(test, "skip", reason)
        else:
            self.settle("skip", str(reason)[:400])

    def addExpectedFailure(self, test, err):
        self.settle("xfail", describe(err[0], err[1]))

    def addUnexpectedSuccess(self, test):
        self.settle("xpass")

    def addSubTest(self, test, subtest, err):
        if err is None:
            return
        failed = issubclass(err[0], test.failureException)
        try:
            where = subtest._subDescription() + " "
        except Exception:
            where = ""
        self.settle("fail" if failed else "error", where + describe(err[0], err[1]))


def select(suite, done, counts, names):
    """Name the cases below `suite` in order; keep those not in `done`.

    A second case of the same id is called `id#2`, so names are unique.
    """
    kept = []
    for test in suite._tests:
        if hasattr(test, "_tests"):
            select(test, done, counts, names)
            kept.append(test)
            continue
        name = test.id()
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            name = name + "#" + str(counts[name])
        if name in done:
            continue
        try:
            setattr(test, MARK, name)
        except Exception:
            pass
        names.append(name)
        kept.append(test)
    suite._tests = kept


def imitate_regrtest():
    """Settings that tests look at: no resource is on, nothing is verbose."""
    try:
        from test import support
    except Exception:
        return
    support.use_resources = []
    support.verbose = 0
    try:
        support.record_original_stdout(sys.stdout)
    except Exception:
        pass


def collect(report, module_name):
    """The module's suite, or None after saying why there is none."""
    try:
        __import__(module_name)
        module = sys.modules[module_name]
        loader = unittest.TestLoader()
        suite = loader.loadTestsFromModule(module)
    except unittest.SkipTest as reason:
        report.line("skipmodule", str(reason) or "no reason given")
        return None
    except BaseException as problem:
        report.line("noload", describe(type(problem), problem))
        return None
    if loader.errors:
        lines = [line for line in loader.errors[0].split("\n") if line.strip()]
        report.line("noload", lines[-1].strip() if lines else "the loader reports an error")
        return None
    return suite


def main():
    report_path, done_path, root, module_name = sys.argv[1:]
    report = Report(report_path)
    report.line("loading")
    with open(done_path, encoding="utf-8", errors="surrogateescape") as file:
        done = {unescape(line) for line in file.read().split("\n") if line}

    # The driver's own folder is no place to import from.
    del sys.path[0]
    if root != "-":
        sys.path.insert(0, root)
    sys.argv = [sys.argv[0]]
    imitate_regrtest()

    suite = collect(report, module_name)
    if suite is None:
        return 0
    names = []
    select(suite, done, {}, names)
    for name in names:
        report.line("plan", name)
    report.line("ready", len(names))

    result = Result(report)
    try:
        suite.run(result)
    except BaseException as problem:
        # unittest lets KeyboardInterrupt through.
        report.line("stopped", describe(type(problem), problem))
        return 3
    report.line("done", int(cpu_clock() * 1e6))
    return 0


if __name__ == "__main__":
    sys.exit(main())
