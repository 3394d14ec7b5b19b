# The last line of stderr is the outermost exception.
# check: stderr
class Mine(Exception): pass
try:
    int("zz")
except ValueError as e:
    raise Mine("wrapped") from e
