# The name that an except clause binds is unset behind it, not before its value is returned.
def returned():
    try:
        raise ValueError(1)
    except ValueError as e:
        return e


def nested():
    for i in range(3):
        try:
            try:
                raise KeyError(i)
            except KeyError as k:
                raise TypeError(i) from k
        except TypeError as t:
            return t, t.__cause__


def unset():
    try:
        1 / 0
    except ZeroDivisionError as z:
        pass
    return z


print(repr(returned()), nested())
try:
    unset()
except UnboundLocalError as e:
    print(e)
print([type(returned()).__name__ for _ in range(100)].count("ValueError"))
