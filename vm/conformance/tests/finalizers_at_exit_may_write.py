# Finalizers that run at exit still find modules, builtins and open standard streams.
import sys


class C:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("finalized", self.name, len(self.name), sys.getrecursionlimit() > 0)


cycle = [C("cycle")]
cycle.append(cycle)
print("end")
