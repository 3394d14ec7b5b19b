# Two threads run hot loops at once; each keeps its own values, and a lock orders their ends.
import _thread
lock = _thread.allocate_lock()
gates = [_thread.allocate_lock() for _ in range(4)]
results = {}
class Node:
    def __init__(self, n): self.n, self.items = n, [n]
def count(k, n):
    t = 0
    for i in range(n):
        t += (i & 3) * k
    with lock: results[k] = t
    gates[k].release()
def allocate(k, n):
    keep, t = [], 0
    for i in range(n):
        keep.append(Node(i * k))
        if len(keep) > 50:
            t += keep.pop(0).items[0]
    with lock: results[k] = t
    gates[k].release()
for g in gates: g.acquire()
for k, f in enumerate((count, count, allocate, allocate)):
    _thread.start_new_thread(f, (k, 20000))
for g in gates: g.acquire()
print(sorted(results.items()))
