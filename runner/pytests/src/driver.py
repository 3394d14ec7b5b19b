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
    ready     COUNT                 end of the plan; old-style modules have several
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
    """Settings that tests look at: no resource is on, nothing is verbose.

    Returns `test.support`, or None where it cannot be imported.
    """
    try:
        from test import support
    except Exception:
        return None
    support.use_resources = []
    support.verbose = 0
    try:
        support.record_original_stdout(sys.stdout)
    except Exception:
        pass
    return support


class Session:
    """The suites of one module: usually one, several under `test_main`."""

    def __init__(self, report, done):
        self.report = report
        self.done = done
        self.counts = {}
        self.result = Result(report)
        self.planned = False

    def run(self, suite):
        names = []
        select(suite, self.done, self.counts, names)
        for name in names:
            self.report.line("plan", name)
        self.report.line("ready", len(names))
        self.planned = True
        suite.run(self.result)

    def hook(self, support, module):
        """Modules of the old style build their suites in `test_main` and hand
        them to these two; so may a case, which gets the real ones.  Other
        modules never see a difference."""
        real_suite = support._run_suite
        real_doctest = support.run_doctest

        def run_suite(suite):
            return (self.run if self.result.name is None else real_suite)(suite)

        def run_doctest(module, verbosity=None, optionflags=0):
            if self.result.name is None:
                return self.run_doctests(module, optionflags)
            return real_doctest(module, verbosity, optionflags)

        support._run_suite = run_suite
        support.run_doctest = run_doctest
        if getattr(module, "run_doctest", None) is real_doctest:
            module.run_doctest = run_doctest

    def run_doctests(self, module, optionflags):
        import doctest

        suite = doctest.DocTestSuite(module, optionflags=optionflags)
        count = suite.countTestCases()
        self.run(unittest.TestSuite([suite]))
        return 0, count

    def no_suite(self, kind, why):
        """Nothing to run; after a first suite it is one more failed fixture."""
        if self.planned:
            self.report.line("fixture", "test_main", "error", why)
        else:
            self.report.line(kind, why)


def run_module(session, support, name):
    """Import the module and run what it holds."""
    try:
        __import__(name)
        module = sys.modules[name]
        old_style = callable(getattr(module, "test_main", None))
        if old_style and support is not None and not hasattr(module, "load_tests"):
            suite = None
        else:
            loader = unittest.TestLoader()
            suite = loader.loadTestsFromModule(module)
            if loader.errors:
                lines = [line for line in loader.errors[0].split("\n") if line.strip()]
                why = lines[-1].strip() if lines else "the loader reports an error"
                return session.no_suite("noload", why)
    except unittest.SkipTest as reason:
        return session.no_suite("skipmodule", str(reason) or "no reason given")
    except BaseException as problem:
        return session.no_suite("noload", describe(type(problem), problem))
    if suite is not None:
        return session.run(suite)
    session.hook(support, module)
    try:
        module.test_main()
    except unittest.SkipTest as reason:
        session.no_suite("skipmodule", str(reason) or "no reason given")
    except Exception as problem:
        session.no_suite("noload", describe(type(problem), problem))


def main():
    report_path, done_path, root, module_name = sys.argv[1:]
    report = Report(report_path)
    report.line("loading")
    with open(done_path, encoding="utf-8", errors="surrogateescape") as file:
        done = {unescape(line) for line in file.read().split("\n") if line}

    # The driver's own folder is no place to import from.
    if sys.path and sys.path[0] == os.path.dirname(sys.argv[0]):
        del sys.path[0]
    if root != "-":
        sys.path.insert(0, root)
    sys.argv = [sys.argv[0]]
    support = imitate_regrtest()
    session = Session(report, done)
    try:
        run_module(session, support, module_name)
    except BaseException as problem:
        # unittest lets KeyboardInterrupt through.
        report.line("stopped", describe(type(problem), problem))
        return 3
    if session.planned:
        report.line("done", int(cpu_clock() * 1e6))
    return 0


if __name__ == "__main__":
    sys.exit(main())
