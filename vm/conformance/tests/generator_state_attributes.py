# gi_running, gi_frame, gi_yieldfrom and gi_code show the state.
def sub():
    yield 1
def g():
    yield it.gi_running
    yield from s
s = sub()
it = g()
print(it.gi_running, it.gi_frame is not None, it.gi_code.co_name, it.__name__, it.__qualname__)
print(next(it), it.gi_yieldfrom, next(it), it.gi_yieldfrom is s)
print(list(it), it.gi_frame)
