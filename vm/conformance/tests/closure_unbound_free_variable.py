# A free variable that is not yet bound raises NameError with its name.
def outer(bind):
    def inner():
        return value
    if bind:
        value = 1
    return inner
print(outer(True)())
try:
    outer(False)()
except NameError as e:
    print(type(e).__name__, e)
def local():
    print(x)
    x = 1
try:
    local()
except UnboundLocalError as e:
    print(e)
