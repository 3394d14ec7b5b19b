# A file that nobody closes is written when its object is collected, and at exit.
import gc, os
name = "/tmp/pyrite-never-closed-%d" % os.getpid()
def write():
    f = open(name, "w")
    f.write("some text\n")
for _ in range(3):
    write()
gc.collect()
print(os.path.getsize(name))
os.unlink(name)
