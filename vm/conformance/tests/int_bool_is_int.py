# bool is an int with two values and its own texts and bit operators.
print(True + True, True * 5, False == 0, True & False, True | 2, True ^ True, ~True, repr(True), int(True), bool("") , {True: 1}[1], sum([True] * 3), -True, True << 3, isinstance(True & 1, bool), isinstance(True & True, bool))
