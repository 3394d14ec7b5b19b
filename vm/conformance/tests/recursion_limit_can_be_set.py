# sys.setrecursionlimit bounds the depth.
import sys
def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n
sys.setrecursionlimit(200)
a = depth(0)
sys.setrecursionlimit(400)
b = depth(0)
print(100 < a <= 200, 300 < b <= 400, sys.getrecursionlimit())
try:
    sys.setrecursionlimit(0)
except ValueError as e:
    print(e)
