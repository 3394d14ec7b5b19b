# Thread-local data is each thread's own; locks time out, nest and are handed over.
import _thread
class Mine(_thread._local):
    kind = "mine"
    def __init__(self, start): self.log = [start]
m, plain, out = Mine(1), _thread._local(), []
done = _thread.allocate_lock()
done.acquire()
plain.x = 1
def other():
    out.append(hasattr(plain, "x"))
    plain.x = 2
    m.log.append("other")
    out.append((m.log, m.kind, plain.__dict__))
    done.release()
_thread.start_new_thread(other, ())
done.acquire()
print(out, plain.x, m.log, m.__dict__)
try:
    plain.y
except AttributeError as e:
    print(e.name)
print(done.acquire(False), done.acquire(timeout=0.01), done.locked())
r = _thread.RLock()
with r:
    with r:
        print(r._is_owned(), repr(r).split()[0], "count=2" in repr(r))
print(r._is_owned())
def failing(): raise SystemExit
_thread.start_new_thread(failing, ())
for bad in (lambda: done.acquire(False, 1), lambda: done.acquire(timeout=-2), lambda: r.release(), lambda: _thread.start_new_thread(1, ())):
    try:
        bad()
    except (ValueError, RuntimeError, TypeError) as e:
        print(type(e).__name__, e)
done.release()
try:
    done.release()
except RuntimeError as e:
    print(e)
