# Missing attributes name type and attribute.
class C: pass
for f in [lambda: C().x, lambda: C.x, lambda: (1).x, lambda: None.foo, lambda: [].nope,
          lambda: "".zip, lambda: setattr(1, "a", 2), lambda: setattr(object(), "a", 1),
          lambda: delattr(C(), "q"), lambda: len.x, lambda: f.nope, lambda: setattr(int, "a", 1)]:
    try:
        f()
    except (AttributeError, TypeError) as e:
        print(type(e).__name__, e)
