# StringIO, BytesIO, contextmanager, suppress and ExitStack.
# needs: lib
import io, contextlib
s = io.StringIO("a\nb\n")
print(s.readline(), list(s), s.read(), io.BytesIO(b"xyz").read(2))
@contextlib.contextmanager
def cm(log):
    log.append("in")
    try:
        yield 5
    finally:
        log.append("out")
log = []
with cm(log) as v: log.append(v)
with contextlib.suppress(KeyError): {}["x"]
with contextlib.ExitStack() as st:
    st.callback(log.append, "cb")
    st.enter_context(cm(log))
print(log)
out = io.StringIO()
with contextlib.redirect_stdout(out): print("captured")
print(repr(out.getvalue()))
