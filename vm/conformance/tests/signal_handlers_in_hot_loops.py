# Signal handlers run inside hot loops, between calls and in interrupted system calls; what they raise is caught.
# needs: lib
import _signal, os, time
hits = []
def handler(n, frame):
    hits.append((n, frame.f_code.co_name))
_signal.signal(_signal.SIGUSR1, handler)
def loop(n):
    t = 0
    for i in range(n):
        t += i
        if i % 1000 == 999:
            os.kill(os.getpid(), _signal.SIGUSR1)
    return t
print(loop(5000), hits)
class Stop(Exception): pass
def stop(n, frame): raise Stop(n)
print(_signal.signal(_signal.SIGALRM, stop))
def spin():
    i = 0
    while True:
        i += 1
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
for what in (spin, lambda: fib(60), lambda: time.sleep(30)):
    _signal.setitimer(_signal.ITIMER_REAL, 0.05)
    try:
        what()
    except Stop as e:
        print("stopped", e)
print(_signal.getsignal(_signal.SIGALRM) is stop, _signal.getsignal(_signal.SIGTERM))
print(_signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGUSR1]), _signal.sigpending())
os.kill(os.getpid(), _signal.SIGUSR1)
print(_signal.sigpending(), len(hits))
_signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGUSR1])
print(_signal.sigpending(), len(hits))
