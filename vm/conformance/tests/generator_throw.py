# throw raises at the yield; the generator may catch it and go on.
def g():
    while True:
        try:
            yield "ready"
        except ValueError as e:
            yield f"caught {e}"
it = g()
print(next(it), it.throw(ValueError("x")), next(it))
try:
    it.throw(KeyError("k"))
except KeyError as e:
    print("out", e)
print(list(it))
fresh = g()
try:
    fresh.throw(RuntimeError("early"))
except RuntimeError as e:
    print(e)
print(list(fresh))
