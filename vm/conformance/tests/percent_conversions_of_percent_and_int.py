# A percent sign is doubled with nothing between; %d asks __int__ first, %x only __index__.
def attempt(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__name__, e)

class Both:
    def __index__(self):
        return 5
    def __int__(self):
        return 6

class Index:
    def __index__(self):
        return 7

attempt(lambda: "%%" % ())
attempt(lambda: "% %s" % 1)
attempt(lambda: b"%5%" % 1)
attempt(lambda: "%5%" % ())
attempt(lambda: "100%% %s" % 1)
for kind in (Both, Index):
    for c in "diuoxX":
        attempt(lambda: ("%" + c) % kind())
attempt(lambda: "%d" % "1")
attempt(lambda: "%x" % 3.5)
# In brackets a field name may contain braces.
attempt(lambda: "{0[{1}]}".format({"{1}": "found"}, 4))
attempt(lambda: "{0[}".format(1))
attempt(lambda: "{0{1}}".format(1))
# Zero keeps the sign of a true division also where the divisor is no float.
print(0 / -3, 0 / -10**400, 0 / 10**400)
