# __context__ and __cause__ are kept; `from None` hides the context.
def f(how):
    try:
        1 / 0
    except ZeroDivisionError as e:
        if how == "plain": raise ValueError("x")
        if how == "from": raise ValueError("x") from e
        raise ValueError("x") from None
for how in ("plain", "from", "none"):
    try:
        f(how)
    except ValueError as e:
        print(how, repr(e.__cause__), repr(e.__context__), e.__suppress_context__)
try:
    raise ValueError from 5
except TypeError as e:
    print(e)
