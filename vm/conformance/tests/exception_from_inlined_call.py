# An exception leaves several inlined frames with all frames in the traceback.
def d(x): return 100 // (x - 150)
def c(x): return d(x) + 1
def b(x): return c(x) + 1
def loop(n):
    t = 0
    for i in range(n):
        t += b(i)
    return t
try:
    loop(300)
except ZeroDivisionError as e:
    tb = e.__traceback__
    while tb:
        print(tb.tb_frame.f_code.co_name, tb.tb_lineno, sorted(tb.tb_frame.f_locals)[:1] if tb.tb_frame.f_code.co_name != "<module>" else "")
        tb = tb.tb_next
