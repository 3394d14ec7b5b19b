# After fork inside a hot loop, parent and child both go on with the right values.
# needs: lib
import os
def loop(n):
    t = 0
    child = None
    for i in range(n):
        t += i * 2
        if i == n // 2:
            r, w = os.pipe()
            child = os.fork()
    if child == 0:
        os.write(w, str(t).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return t, os.read(r, 100)
print(loop(1000))
