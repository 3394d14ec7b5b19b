# Every function of _operator, and the getters.
import _operator as o

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

for name in sorted(n for n in dir(o) if not n.startswith("__")):
    f = getattr(o, name)
    if name in ("itemgetter", "attrgetter", "methodcaller", "call"):
        continue
    print(name, attempt(f), attempt(f, 7), attempt(f, 7, 2), attempt(f, [1, 2], [1]), attempt(f, "ab", "b"), attempt(f, 7.5, 2), attempt(f, 1, 2, 3, 4))
l = [1, 2]
print(o.iadd(l, [3]) is l, o.iconcat(l, (4,)), l, attempt(o.iconcat, 1, 2), attempt(o.concat, {}, {}))
print(o.setitem(l, 0, 9), o.delitem(l, 1), l, o.getitem(l, slice(1)), attempt(o.setitem, l, 99, 1), attempt(o.setitem, (), 1))
print(o.length_hint([1]), o.length_hint(iter([1, 2])), o.length_hint(3, 7), attempt(o.length_hint, 3, "x"), attempt(o.length_hint, 3, 2.0))
print(o.call(max, 1, 2), o.call(dict, a=1), attempt(o.call), attempt(o.call, 3))
print(o.countOf([1, 2, 1.0], 1), o.indexOf("abc", "c"), attempt(o.indexOf, [], 1), attempt(o.countOf, 5, 1))
print(o._compare_digest("a", "a"), o._compare_digest(b"a", bytearray(b"a")), o._compare_digest(b"a", b"ab"), attempt(o._compare_digest, "é", "e"), attempt(o._compare_digest, "a", b"a"))

ig = o.itemgetter
print(ig(1)("abc"), ig(0, -1)("abc"), ig(slice(1, 3))("abcd"), ig("k")({"k": 5}), ig(1), ig("a", 2))
print(attempt(ig), attempt(ig, a=1), attempt(ig(1)), attempt(ig(1), 1, 2), attempt(ig(9), "a"), attempt(ig(1), 5), attempt(ig(1), x=1), ig(1, 2).__reduce__())
class A:
    pass
a = A(); a.x = A(); a.x.y = 5; a.z = 6
ag = o.attrgetter
print(ag("z")(a), ag("x.y")(a), ag("z", "x.y")(a), ag("x.y"), ag("a", "b.c"), ag("a").__reduce__())
print(attempt(ag), attempt(ag, 3), attempt(ag("q"), a), attempt(ag("x.q"), a), attempt(ag("")), attempt(ag("."), a))
mc = o.methodcaller
print(mc("upper")("a"), mc("split", ",", maxsplit=1)("a,b,c"), mc("split", ","), mc("f", 1, x="y"), mc("f", 1).__reduce__())
print(attempt(mc), attempt(mc, 3), attempt(mc("nope"), "a"), attempt(mc("upper")), attempt(mc("upper"), "a", "b"))
print(type(ig(1)), type(mc("a")))
print(sorted([(2, "a"), (1, "b")], key=ig(0)), sum(ig(0)((i,)) for i in range(1000)))
