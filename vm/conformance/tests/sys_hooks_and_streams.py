# Small things of sys, and objects that are finalized when the program ends.
import os
import subprocess
import sys
import threading

try:
    sys.exit((1, 2))
except SystemExit as e:
    print(e.args, e.code)
try:
    sys.exit((42,))
except SystemExit as e:
    print(e.args, e.code)
sys.setdlopenflags(sys.getdlopenflags() | 4096)
print(sys.getdlopenflags() & 4096)
out = sys.stdout
del sys.stdout
try:
    sys.__displayhook__(1)
except RuntimeError as e:
    message = str(e)
sys.stdout = out
print(message)

ready, done = threading.Event(), threading.Event()


def handler():
    try:
        raise KeyError("in thread")
    except KeyError:
        ready.set()
        done.wait()


t = threading.Thread(target=handler)
t.start()
ready.wait()
frames, exceptions = sys._current_frames(), sys._current_exceptions()
print(sorted(frames) == sorted([threading.get_ident(), t.ident]), sorted(exceptions) == sorted(frames))
done.set()
t.join()


def run(code, **env):
    p = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, **env})
    print(p.stdout, p.stderr[-60:] if p.stderr else b"")


run("import sys; print(sys.stdin.errors, sys.stdout.errors, sys.stderr.errors)", PYTHONIOENCODING=":ignore")
run("import sys; print(sys.stdin.errors, sys.stdout.errors, sys.stderr.errors)", PYTHONIOENCODING="ascii:replace")
run("print('\\xe4')", PYTHONIOENCODING="ascii:replace")
run("print('\\xe4\\u20ac')", PYTHONIOENCODING="cp1252")
run("""
import sys
class A:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        print("del", self.name, sys.is_finalizing())
a = A("global")
print(sys.is_finalizing())
""")
