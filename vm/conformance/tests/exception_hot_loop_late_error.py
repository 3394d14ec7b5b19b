# An error on a late iteration of a hot loop has the right line and value.
def f(data):
    t = 0
    for x in data:
        t += 10 // x
    return t
try:
    f([1, 2, 5] * 100 + [0] + [1])
except ZeroDivisionError as e:
    tb = e.__traceback__
    while tb.tb_next: tb = tb.tb_next
    print(e, tb.tb_lineno, tb.tb_frame.f_locals["t"], tb.tb_frame.f_locals["x"])
