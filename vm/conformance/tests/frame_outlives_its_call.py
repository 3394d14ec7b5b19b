# A frame object kept after its function returned still shows its locals.
import sys
def f(x):
    y = x + 1
    return sys._getframe()
def loop(n):
    keep = None
    for i in range(n):
        fr = f(i)
        if i == n // 2: keep = fr
    return keep
fr = loop(300)
print(fr.f_locals, fr.f_code.co_name, fr.f_back is None or True)
