# A generator keeps the exception it handles itself, also one that its resumer handles at the same time.
import sys
def g():
    try:
        yield
    except Exception as exc:
        print(1, sys.exc_info()[0], exc.__context__); yield
        print(2, sys.exc_info()[0]); yield
        raise
m=g(); next(m)
try: raise ValueError()
except Exception as e:
    try:
        m.throw(e)
    except Exception: pass
print(sys.exc_info())
next(m)
print(sys.exc_info())
try: next(m); 
except ValueError as e: print("raised", e.__context__)
def h():
    try:
        raise KeyError(1)
    except KeyError:
        yield sys.exc_info()[0]
        yield sys.exc_info()[0]
        try: raise
        except KeyError as e: yield 'again'
        yield sys.exc_info()[0]
for x in h(): print(x, sys.exc_info()[0])
try: raise OSError
except OSError:
    for x in h(): print(x, sys.exc_info()[0])
def k():
    yield sys.exc_info()[0]
    try: raise IndexError
    except IndexError: yield sys.exc_info()[0]
    yield sys.exc_info()[0]
a=k()
try: raise OSError
except OSError: print(next(a), sys.exc_info()[0])
print(next(a), sys.exc_info()[0])
try: raise OSError
except OSError: print(next(a), sys.exc_info()[0])


def in_a_loop(n):
    for i in range(n):
        try:
            if i % 3 == 0:
                raise KeyError(i)
            yield i
        except KeyError as error:
            yield error.args[0]
            yield sys.exc_info()[0].__name__
        yield sys.exc_info()[0]


seen = []
for step in range(3):
    try:
        raise OSError
    except OSError:
        for x in in_a_loop(60):
            seen.append(x)
    for x in in_a_loop(60):
        seen.append(x)
print(len(seen), seen[:12], seen[-6:])
