# Docstrings are kept for modules, classes and functions.
class C:
    """class doc"""
    def m(self):
        'method doc'
def f():
    not_doc = "x"
print(C.__doc__, C.m.__doc__, f.__doc__, C.__name__, C.__qualname__, C.m.__qualname__, C.__module__)
