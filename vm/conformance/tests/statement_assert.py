# assert raises AssertionError with its message.
try:
    assert 1 == 2, ("msg", 1)
except AssertionError as e:
    print(e.args)
try:
    assert not "x"
except AssertionError as e:
    print(repr(e))
assert True, 1 / 0
print(__debug__)
