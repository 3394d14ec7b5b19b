# sum, any, all, min, max, list and what builds on it see a warm generator as any other iterator, and leave no trace in frames.
import sys
import traceback


def squares(n):
    return (x * x for x in range(n))


def callers(n):
    for i in range(n):
        yield sys._getframe(1).f_code.co_name


def chained(n):
    for i in range(n):
        f, names = sys._getframe(), []
        while f is not None and names[-1:] != ["<module>"]:
            names.append(f.f_code.co_name)
            f = f.f_back
        yield ">".join(names)


class Sum:
    def __init__(self, text):
        self.text = text

    def __add__(self, other):
        return Sum(f"({self.text}+{other.text})")


class Least:
    log = []

    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        Least.log.append(("lt", self.n, other.n))
        return self.n < other.n

    def __gt__(self, other):
        Least.log.append(("gt", self.n, other.n))
        return self.n > other.n


class Own(list):
    def append(self, x):
        print("append", x)


def fails(n):
    for i in range(n):
        if i == n - 1:
            raise KeyError(i)
        yield i


def user():
    return sum(fails(50))


def main():
    for turn in range(30):
        r = [
            sum(squares(40)),
            sum(squares(40), 0.5),
            any(x > 1000 for x in squares(40)),
            any(x > 2000 for x in squares(40)),
            all(x >= 0 for x in squares(40)),
            all(x < 100 for x in squares(40)),
            min(x % 17 for x in squares(40)),
            max(x % 17 for x in squares(40)),
            max((x % 17 for x in squares(40)), key=lambda v: -v),
            min((x for x in ()), default="none"),
            len(list(squares(40))),
            tuple(squares(4)),
            sorted(-x for x in squares(5)),
            "".join(str(x) for x in squares(6)),
        ]
        if turn in (0, 29):
            print(r)

    # What follows the item that decided stays in the generator.
    for turn in range(20):
        g = squares(40)
        found = any(x > 100 for x in g)
        rest = next(g), all(x < 200 for x in g), next(g)
    print(found, rest)

    for turn in range(20):
        seen = set(list(callers(30)))
        shown = set(list(chained(30)))
    print(seen, shown)

    for turn in range(40):
        text = sum((Sum(i) for i in range(10)), Sum("s")).text
    print(text)
    for turn in range(40):
        Least.log.clear()
        n = min(Least(i * 7 % 5) for i in range(10)).n, max(Least(i * 7 % 5) for i in range(10)).n
    print(n, Least.log)

    for turn in range(20):
        try:
            user()
        except KeyError as e:
            text = "".join(traceback.format_exception(e))
            names = [f.name for f in traceback.extract_tb(e.__traceback__)]
    print(names, text.count("File"))
    for turn in range(20):
        try:
            sum(x if x < 30 else "x" for x in range(40))
        except TypeError as e:
            text = e, [f.name for f in traceback.extract_tb(e.__traceback__)]
    print(text)
    for turn in range(20):
        try:
            max(x if x < 30 else "x" for x in range(40))
        except TypeError as e:
            text = e, [f.name for f in traceback.extract_tb(e.__traceback__)]
    print(text)

    def itself():
        for i in range(400):
            if i == 399:
                yield sum(g)
            yield i

    g = itself()
    try:
        sum(g)
    except ValueError as e:
        print(e)

    own = Own()
    for turn in range(9):
        own.extend(squares(40))
    print(len(own))

    depth = 0

    def deep():
        nonlocal depth
        depth += 1
        return sum(deep() for _ in range(2))

    list(squares(400))
    try:
        deep()
    except RecursionError:
        print("too deep", depth > 50)


main()


class Events:
    def __init__(self):
        self.seen = []

    def __call__(self, frame, event, arg):
        if event != "c_call" and event != "c_return":
            self.seen.append((event, frame.f_code.co_name))


def many():
    for i in range(600):
        yield i


events = Events()
sum(many())


def switches_on():
    for i in range(600):
        if i == 500:
            sys.setprofile(events)
        yield i


sum(switches_on())
sys.setprofile(None)
print({name for _, name in events.seen})
