"""Runs a dumped code unit on CPython: an oracle for the compiler.

    dump FILE > unit.json; python3.11 emulate.py unit.json [module name]

Each instruction is written here in Python over CPython's own objects, straight
from the instruction table. A test module that passes under this emulator was
compiled correctly, whatever state the VM is in. Slow, and not exact where
CPython looks at frames: `sys.exc_info`, `sys._getframe`, `super()` called
through another name.
"""

import builtins
import json
import operator
import struct
import sys
import types

UNSET = object()
FREE = 65535
HEADER = 5


class Unit:
    def __init__(self, d):
        self.__dict__.update(d)
        self.consts = [constant(c) for c in self.consts]
        self.code = [
            (name, dd, a, b, c, off, s16) for name, dd, a, b, c, off, s16 in self.instrs
        ]


def constant(c):
    kind, *rest = c
    match kind:
        case "none":
            return None
        case "true":
            return True
        case "false":
            return False
        case "ellipsis":
            return ...
        case "int":
            sys.set_int_max_str_digits(0)
            return int(rest[0])
        case "float":
            return struct.unpack("<d", struct.pack("<Q", int(rest[0])))[0]
        case "complex":
            re, im = (struct.unpack("<d", struct.pack("<Q", int(r)))[0] for r in rest)
            return complex(re, im)
        case "str":
            return sys.intern("".join(map(chr, rest[0])))
        case "bytes":
            return bytes(rest[0])
        case "tuple":
            return tuple(constant(x) for x in rest[0])
        case "frozenset":
            return frozenset(constant(x) for x in rest[0])
        case "code":
            return Unit(rest[0])


# The exception being handled, as a chain through generators would be in CPython.
handled = [None]


class Frame:
    def __init__(self, unit, globals_, args, closure):
        self.unit = unit
        self.globals = globals_
        self.regs = list(args) + [UNSET] * (unit.frame_size - len(args) + 8)
        self.closure = closure
        self.pc = 0
        self.saved = None


BINARY = dict(
    ADD=(operator.add, operator.iadd),
    SUB=(operator.sub, operator.isub),
    MUL=(operator.mul, operator.imul),
    TRUEDIV=(operator.truediv, operator.itruediv),
    FLOORDIV=(operator.floordiv, operator.ifloordiv),
    MOD=(operator.mod, operator.imod),
    POW=(operator.pow, operator.ipow),
    MATMUL=(operator.matmul, operator.imatmul),
    LSHIFT=(operator.lshift, operator.ilshift),
    RSHIFT=(operator.rshift, operator.irshift),
    AND=(operator.and_, operator.iand),
    OR=(operator.or_, operator.ior),
    XOR=(operator.xor, operator.ixor),
)
UNARY = dict(NEG=operator.neg, POS=operator.pos, INVERT=operator.invert, NOT=operator.not_)
COMPARE = dict(
    LT=operator.lt, LE=operator.le, EQ=operator.eq, NE=operator.ne, GT=operator.gt, GE=operator.ge
)
SPECIAL = ["__enter__", "__exit__", "__aenter__", "__aexit__"]


def lookup_special(obj, name):
    for cls in type(obj).__mro__:
        if name in cls.__dict__:
            f = cls.__dict__[name]
            return f.__get__(obj, type(obj)) if hasattr(type(f), "__get__") else f
    return UNSET


def load_special(obj, which):
    f = lookup_special(obj, SPECIAL[which])
    if f is UNSET:
        kind = "asynchronous context manager" if which > 1 else "context manager"
        missed = " (missed %s method)" % SPECIAL[which] if which % 2 else ""
        raise TypeError(f"'{type(obj).__name__}' object does not support the {kind} protocol{missed}")
    return f


def cell_error(frame, name, free):
    if free:
        return NameError(
            f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
        )
    return unbound(name)


def unbound(name):
    return UnboundLocalError(
        f"cannot access local variable '{name}' where it is not associated with a value"
    )


def run(f):
    """Runs to the next RETURN or YIELD: (kind, value)."""
    unit, code, regs = f.unit, f.unit.code, f.regs
    while True:
        at = f.pc
        f.pc = at + 1
        try:
            name, d, a, b, c, off, s16 = code[at]
            out = step(f, unit, regs, at, name, d, a, b, c, off, s16)
            if out is not None:
                return out
        except BaseException as e:
            for start, end, target, reg in unit.exceptions:
                if start <= at < end:
                    regs[reg] = e
                    f.pc = target
                    break
            else:
                raise


def call(f, *args, **kwargs):
    return f(*args, **kwargs)


def step(f, unit, regs, at, name, d, a, b, c, off, s16):
    def get(r):
        v = regs[r]
        if v is UNSET:
            raise SystemError(f"{unit.qualname} instruction {at} {name} reads unset register {r}")
        return v

    k = unit.consts
    ic = unit.caches
    if name in BINARY:
        regs[a] = BINARY[name][d](get(b), get(c))
    elif name[:-1] in BINARY and name[-1] == "K":
        regs[a] = BINARY[name[:-1]][d](get(b), k[c])
    elif name in UNARY:
        regs[a] = UNARY[name](get(b))
    elif name in COMPARE:
        regs[a] = COMPARE[name](get(b), get(c))
    elif name[0] == "J" and name[1:] in COMPARE:
        if COMPARE[name[1:]](get(a), get(b)):
            f.pc += s16
    elif name[:2] == "JN" and name[2:] in COMPARE:
        if not COMPARE[name[2:]](get(a), get(b)):
            f.pc += s16
    else:
        return SLOW[name](f, unit, regs, get, k, ic, d, a, b, c, off, s16)


SLOW = {}


def op(fn):
    SLOW[fn.__name__] = fn
    return fn


@op
def NOP(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    pass


@op
def MOVE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = get(b)


@op
def LOAD_CONST(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = k[b]


@op
def LOAD_INT(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = off


@op
def CHECK_BOUND(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if regs[a] is UNSET:
        raise unbound(k[b])


@op
def DELETE_FAST(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if regs[a] is UNSET:
        raise unbound(k[b])
    regs[a] = UNSET


@op
def MAKE_CELL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = regs[a]
    regs[a] = types.CellType() if v is UNSET else types.CellType(v)


@op
def LOAD_CELL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        regs[a] = get(b).cell_contents
    except ValueError:
        raise cell_error(f, k[c], d) from None


@op
def STORE_CELL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(a).cell_contents = get(b)


@op
def DELETE_CELL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        get(a).cell_contents
    except ValueError:
        raise cell_error(f, k[c], d) from None
    del get(a).cell_contents


@op
def LOAD_CLOSURE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = f.closure[b]


@op
def LOAD_CLASSDEREF(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        regs[a] = regs[0][k[c]]
    except KeyError:
        try:
            regs[a] = get(b).cell_contents
        except ValueError:
            raise cell_error(f, k[c], 1) from None


def load_global(f, name):
    try:
        return f.globals[name]
    except KeyError:
        pass
    try:
        return builtins.__dict__[name]
    except KeyError:
        raise NameError(f"name '{name}' is not defined", name=name) from None


@op
def LOAD_GLOBAL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = load_global(f, ic[c])


@op
def STORE_GLOBAL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    f.globals[ic[c]] = get(a)


@op
def DELETE_GLOBAL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        del f.globals[ic[c]]
    except KeyError:
        raise NameError(f"name '{ic[c]}' is not defined") from None


@op
def LOAD_NAME(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        regs[a] = get(b)[ic[c]]
    except KeyError:
        regs[a] = load_global(f, ic[c])


@op
def STORE_NAME(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(b)[ic[c]] = get(a)


@op
def DELETE_NAME(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        del get(b)[ic[c]]
    except KeyError:
        raise NameError(f"name '{ic[c]}' is not defined") from None


@op
def LOAD_ATTR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = getattr(get(b), ic[c])


@op
def STORE_ATTR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    setattr(get(a), ic[c], get(b))


@op
def DELETE_ATTR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    delattr(get(a), ic[c])


def window(regs, at, callee):
    """A callee's frame and everything above it is clobbered."""
    regs[at] = callee
    for r in range(at + 1, len(regs)):
        if r != at + HEADER:
            regs[r] = UNSET


@op
def LOAD_METHOD(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    window(regs, a, getattr(get(b), ic[c]))
    regs[a + HEADER] = 0


@op
def LOAD_SUPER_ATTR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = getattr(super(get(b), get(b + 1)), ic[c])


@op
def LOAD_SUPER_METHOD(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    window(regs, a, getattr(super(get(b), get(b + 1)), ic[c]))
    regs[a + HEADER] = 0


@op
def LOAD_SPECIAL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    window(regs, a, load_special(get(b), d))
    regs[a + HEADER] = 0


@op
def LOAD_SUBSCR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = get(b)[get(c)]


@op
def STORE_SUBSCR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(a)[get(b)] = get(c)


@op
def DELETE_SUBSCR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    del get(a)[get(b)]


@op
def BUILD_SLICE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = slice(get(b), get(b + 1), get(b + 2))


@op
def IS(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = (get(b) is get(c)) != bool(d)


@op
def IN(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = (get(b) in get(c)) != bool(d)


@op
def JUMP(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    f.pc += off


@op
def LOOP(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    f.pc = unit.loops[b]
    for r in range(a, len(regs)):
        regs[r] = UNSET


@op
def JT(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if get(a):
        f.pc += off


@op
def JF(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if not get(a):
        f.pc += off


@op
def JNONE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if get(a) is None:
        f.pc += off


@op
def JNOTNONE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if get(a) is not None:
        f.pc += off


@op
def JIS(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if get(a) is get(b):
        f.pc += s16


@op
def JISNOT(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if get(a) is not get(b):
        f.pc += s16


@op
def GET_ITER(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = iter(get(b))


@op
def FOR_ITER(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    try:
        v = next(get(a))
    except StopIteration:
        return
    window(regs, c, UNSET)
    regs[b] = v
    f.pc += 1


def do_call(regs, a, dst, /, *args, **kwargs):
    v = regs[a](*args, **kwargs)
    window(regs, a, UNSET)
    regs[a + HEADER] = UNSET
    regs[dst] = v


@op
def CALL(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    do_call(regs, a, c, *[get(a + HEADER + i) for i in range(b)])


@op
def CALL_METHOD(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    do_call(regs, a, c, *[get(a + HEADER + 1 + i) for i in range(b)])


def with_names(get, first, n, names):
    args = [get(first + i) for i in range(n)]
    split = n - len(names)
    return args[:split], dict(zip(names, args[split:]))


@op
def CALL_KW(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    args, kw = with_names(get, a + HEADER, b, get(a + 1))
    do_call(regs, a, c, *args, **kw)


@op
def CALL_METHOD_KW(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    args, kw = with_names(get, a + HEADER + 1, b, get(a + 1))
    do_call(regs, a, c, *args, **kw)


@op
def CALL_EX(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    args = get(a + HEADER)
    if not hasattr(type(args), "__iter__") and not hasattr(type(args), "__getitem__"):
        raise TypeError(
            f"{callable_name(get(a))} argument after * must be an iterable, not {type(args).__name__}"
        )
    kw = get(a + HEADER + 1) if b else {}
    do_call(regs, a, c, *args, **kw)


def callable_name(f):
    q = getattr(f, "__qualname__", None)
    if not isinstance(q, str):
        return str(f)
    m = getattr(f, "__module__", None)
    return f"{m}.{q}()" if m not in (None, "builtins") else f"{q}()"


@op
def RETURN(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    return ("return", get(a))


@op
def MAKE_FUNCTION(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = make_function(
        k[b],
        f.globals,
        get(c) if d & 1 else None,
        get(c + 1) if d & 2 else None,
        get(c + 2) if d & 4 else (),
        get(c + 3) if d & 8 else (),
    )


def make_function(unit, globals_, defaults, kwdefaults, annotations, closure):
    names = [n.replace(".", "_dot_") for n in unit.varnames]
    pos = unit.arg_count
    kwonly = unit.kwonly_count
    params = names[:pos]
    if unit.posonly_count and unit.posonly_count <= pos:
        params.insert(unit.posonly_count, "/")
    n = pos + kwonly
    star = names[n] if unit.flags & 4 else None
    if star:
        params.append("*" + star)
        n += 1
    elif kwonly:
        params.append("*")
    params += names[pos : pos + kwonly]
    if unit.flags & 8:
        params.append("**" + names[n])
        n += 1
    regs = ", ".join(names[:n])
    inner = f"return __enter_frame__(({regs}{',' if n else ''}))"
    is_class_body = unit.flags & 0x8000_0000
    if is_class_body:
        params, inner = ["__ns__"], "return __enter_frame__((__ns__,))"

    def enter_frame(args):
        frame = Frame(unit, globals_, args, closure)
        kind, v = run_handling(frame)
        assert kind in ("return", "generator")
        return v

    stub = {}
    exec(f"def stub({', '.join(params)}): {inner}", {"__enter_frame__": enter_frame}, stub)
    fn = stub["stub"]
    real = types.FunctionType(
        fn.__code__.replace(co_name=unit.name, co_qualname=unit.qualname, co_filename=unit.filename),
        {"__enter_frame__": enter_frame, "__builtins__": builtins, "__name__": globals_.get("__name__")},
    )
    real.__name__, real.__qualname__ = unit.name, unit.qualname
    real.__module__ = globals_.get("__name__")
    real.__defaults__ = defaults
    real.__kwdefaults__ = kwdefaults
    real.__annotations__ = dict(zip(annotations[::2], annotations[1::2]))
    real.__doc__ = unit.consts[0] if unit.has_docstring else None
    real.__emu__ = enter_frame
    del real.__dict__["__emu__"]
    BODIES[real] = enter_frame
    return real


BODIES = {}


def run_handling(frame):
    """A frame that ends, however it does, leaves the handled exception as it was."""
    before = handled[0]
    try:
        return run(frame)
    finally:
        handled[0] = before


@op
def BUILD_CLASS_FN(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = build_class


def build_class(fn, name, *bases, **kw):
    resolved = types.resolve_bases(bases)
    meta, ns, kw = types.prepare_class(name, resolved, kw)
    if resolved is not bases:
        ns["__orig_bases__"] = bases
    cell = BODIES[fn]((ns,))
    cls = meta(name, resolved, ns, **kw)
    if isinstance(cell, types.CellType) and isinstance(cls, type):
        assert cell.cell_contents is cls
    return cls


def span(get, b, c):
    return [get(b + i) for i in range(c)]


@op
def BUILD_TUPLE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = tuple(span(get, b, c))


@op
def BUILD_LIST(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = span(get, b, c)


@op
def BUILD_SET(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = set(span(get, b, c))


@op
def BUILD_MAP(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    items = span(get, b, 2 * c)
    regs[a] = dict(zip(items[::2], items[1::2]))


@op
def BUILD_STRING(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = "".join(span(get, b, c))


@op
def FORMAT_VALUE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    if d:
        v = [None, str, repr, ascii][d](v)
    regs[a] = format(v, "" if c == FREE else get(c))


@op
def LIST_APPEND(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(a).append(get(b))


@op
def LIST_EXTEND(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    if not hasattr(type(v), "__iter__") and not hasattr(type(v), "__getitem__"):
        raise TypeError(f"Value after * must be an iterable, not {type(v).__name__}")
    get(a).extend(v)


@op
def LIST_TO_TUPLE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = tuple(get(b))


@op
def SET_ADD(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(a).add(get(b))


@op
def SET_UPDATE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(a).update(get(b))


@op
def MAP_ADD(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    get(a)[get(b)] = get(c)


@op
def DICT_UPDATE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    if not hasattr(v, "keys"):
        raise TypeError(f"'{type(v).__name__}' object is not a mapping")
    get(a).update(v)


@op
def DICT_MERGE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    into, v, f = get(a), get(b), get(c)
    if not hasattr(v, "keys"):
        raise TypeError(
            f"{callable_name(f)} argument after ** must be a mapping, not {type(v).__name__}"
        )
    for key in v.keys():
        if key in into:
            raise TypeError(f"{callable_name(f)} got multiple values for keyword argument '{key}'")
        into[key] = v[key]


@op
def UNPACK_SEQUENCE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    items = unpack(v, c, 0, False)
    regs[a : a + c] = items


@op
def UNPACK_EX(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    before, after = c & 255, c >> 8
    items = unpack(get(b), before, after, True)
    regs[a : a + before + after + 1] = items


def unpack(v, before, after, star):
    try:
        it = iter(v)
    except TypeError:
        raise TypeError(f"cannot unpack non-iterable {type(v).__name__} object") from None
    items = []
    need = before + after
    for _ in range(before):
        try:
            items.append(next(it))
        except StopIteration:
            least = "at least " if star else ""
            raise ValueError(
                f"not enough values to unpack (expected {least}{need}, got {len(items)})"
            ) from None
    if not star:
        for _ in it:
            raise ValueError(f"too many values to unpack (expected {before})")
        return items
    rest = list(it)
    if len(rest) < after:
        raise ValueError(
            f"not enough values to unpack (expected at least {need}, got {before + len(rest)})"
        )
    cut = len(rest) - after
    return items + [rest[:cut]] + rest[cut:]


@op
def IMPORT_NAME(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = builtins.__import__(ic[c], f.globals, None, get(b + 1), get(b))


@op
def IMPORT_FROM(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    m = get(b)
    try:
        regs[a] = getattr(m, ic[c])
    except AttributeError:
        try:
            regs[a] = sys.modules[f"{m.__name__}.{ic[c]}"]
        except KeyError:
            raise ImportError(f"cannot import name {ic[c]!r} from {m.__name__!r}") from None


@op
def IMPORT_STAR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    m = get(a)
    names = getattr(m, "__all__", None) or [n for n in m.__dict__ if n[0] != "_"]
    for n in names:
        get(b)[n] = getattr(m, n)


def raise_with_context(e):
    """Raising sets the context, as the interpreter does for every raise."""
    if isinstance(e, type) and issubclass(e, BaseException):
        e = e()
    if not isinstance(e, BaseException):
        raise TypeError("exceptions must derive from BaseException")
    h = handled[0]
    if h is not None and h is not e:
        x = h
        while x.__context__ is not None and x.__context__ is not e:
            x = x.__context__
        if x.__context__ is e:
            x.__context__ = None
        e.__context__ = h
    return e


@op
def RAISE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if d == 0:
        if handled[0] is None:
            raise RuntimeError("No active exception to reraise")
        raise handled[0]
    e = raise_with_context(get(a))
    if d == 2:
        cause = get(b)
        if isinstance(cause, type) and issubclass(cause, BaseException):
            cause = cause()
        if cause is not None and not isinstance(cause, BaseException):
            raise TypeError("exception causes must derive from BaseException")
        e.__cause__ = cause
    raise e


@op
def RERAISE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    raise get(a)


@op
def PUSH_EXC(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    e = get(b)
    regs[a] = handled[0]
    h = handled[0]
    if h is not None and e.__context__ is None and h is not e and h.__context__ is not e:
        e.__context__ = h
    handled[0] = e


@op
def POP_EXC(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    handled[0] = get(a)


@op
def CHECK_EXC_MATCH(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    cls = get(c)
    for x in cls if isinstance(cls, tuple) else (cls,):
        if not (isinstance(x, type) and issubclass(x, BaseException)):
            raise TypeError(
                "catching classes that do not inherit from BaseException is not allowed"
            )
    mro = type(get(b)).__mro__
    regs[a] = any(x in mro for x in (cls if isinstance(cls, tuple) else (cls,)))


@op
def CHECK_EG_MATCH(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    e, cls = get(b), get(c)
    for x in cls if isinstance(cls, tuple) else (cls,):
        if not (isinstance(x, type) and issubclass(x, BaseException)):
            raise TypeError(
                "catching classes that do not inherit from BaseException is not allowed"
            )
        if issubclass(x, BaseExceptionGroup):
            raise TypeError("catching ExceptionGroup with except* is not allowed. Use except instead.")
    m = rest = None
    if e is None:
        pass
    elif isinstance(e, cls):
        m = e if isinstance(e, BaseExceptionGroup) else ExceptionGroup("", [e])
        if m is not e:
            m.__traceback__ = e.__traceback__
    elif isinstance(e, BaseExceptionGroup):
        m, rest = e.split(cls)
    else:
        rest = e
    regs[a], regs[a + 1] = m, rest
    if m is not None:
        handled[0] = m


@op
def PREP_RERAISE_STAR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    orig, results = get(b), get(c)
    excs = [e for e in results if e is not None]
    if not excs:
        regs[a] = None
        return
    if not isinstance(orig, BaseExceptionGroup):
        regs[a] = excs[0]
        return
    raised, reraised = [], []
    for e in excs:
        same = (
            isinstance(e, BaseExceptionGroup)
            and e.__traceback__ is orig.__traceback__
            and e.__cause__ is orig.__cause__
            and e.__context__ is orig.__context__
        )
        (reraised if same else raised).append(e)
    leaves = set()

    def collect(e):
        if isinstance(e, BaseExceptionGroup):
            for x in e.exceptions:
                collect(x)
        else:
            leaves.add(id(e))

    for e in reraised:
        collect(e)

    def project(g):
        kept = []
        for x in g.exceptions:
            if isinstance(x, BaseExceptionGroup):
                p = project(x)
                if p is not None:
                    kept.append(p)
            elif id(x) in leaves:
                kept.append(x)
        return g.derive(kept) if kept else None

    merged = project(orig) if reraised else None
    if merged is not None:
        merged.__traceback__ = orig.__traceback__
        merged.__cause__ = orig.__cause__
        merged.__context__ = orig.__context__
    if not raised:
        regs[a] = merged
    else:
        regs[a] = BaseExceptionGroup("", raised + ([merged] if merged is not None else []))


@op
def LOAD_ASSERTION_ERROR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = AssertionError


@op
def EXC_TRIPLE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    e = get(b)
    regs[a], regs[a + 1], regs[a + 2] = type(e), e, e.__traceback__


# --- generators ---------------------------------------------------------------


def resume(frame, send):
    """One step of a suspended frame; `send` is a function that gives the value."""
    before = handled[0]
    try:
        at = frame.pc - 1
        name, d, a, *_ = frame.unit.code[at]
        try:
            v = send()
        except BaseException as e:
            # A sub-iterator takes the exception first.
            while True:
                try:
                    if name == "YIELD" and d == 2:
                        sub = frame.regs[a - 1]
                        try:
                            v = throw_into(sub, e)
                        except StopIteration as stop:
                            frame.regs[a] = stop.value
                            frame.pc = at + frame.unit.code[at - 1][5]
                            return run(frame)
                        return ("yield", v, 2)
                    raise
                except BaseException as e2:
                    for start, end, target, reg in frame.unit.exceptions:
                        if start <= at < end:
                            frame.regs[reg] = e2
                            frame.pc = target
                            return run(frame)
                    raise
        if name == "YIELD":
            frame.regs[a] = v
        return run(frame)
    finally:
        frame.saved = handled[0]
        handled[0] = before


def throw_into(sub, e):
    if isinstance(e, GeneratorExit):
        close = getattr(sub, "close", None)
        if close is not None:
            close()
        raise e
    throw = getattr(sub, "throw", None)
    if throw is None:
        raise e
    return throw(e)


def swap(frame, f):
    mine = frame.saved
    before = handled[0]
    if mine is not None:
        handled[0] = mine
    try:
        return f()
    finally:
        handled[0] = before


def plain_generator(frame):
    out = resume(frame, lambda: None)
    while out[0] == "yield":
        try:
            sent = yield out[1]
        except BaseException as e:
            exc = e

            def send():
                raise exc

            out = resume(frame, send)
        else:
            out = resume(frame, lambda: sent)
    return out[1]


class Pass:
    def __init__(self, v):
        self.v = v

    def __await__(self):
        return (yield self.v)


async def async_generator(frame):
    out = resume(frame, lambda: None)
    while out[0] == "yield":
        try:
            if out[2] == 1:
                sent = yield out[1]
            else:
                sent = await Pass(out[1])
        except BaseException as e:
            exc = e

            def send():
                raise exc

            out = resume(frame, send)
        else:
            out = resume(frame, lambda: sent)


async def coroutine(frame):
    out = resume(frame, lambda: None)
    while out[0] == "yield":
        try:
            sent = await Pass(out[1])
        except BaseException as e:
            exc = e

            def send():
                raise exc

            out = resume(frame, send)
        else:
            out = resume(frame, lambda: sent)
    return out[1]


@op
def RETURN_GENERATOR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if unit.flags & 0x200:
        g = async_generator(f)
    elif unit.flags & 0x80:
        g = coroutine(f)
    else:
        g = plain_generator(f)
    g.__name__, g.__qualname__ = unit.name, unit.qualname
    return ("generator", g)


@op
def YIELD(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    for r in range(c, len(regs)):
        regs[r] = UNSET
    return ("yield", v, d)


@op
def GET_YIELD_FROM_ITER(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    regs[a] = v if isinstance(v, types.GeneratorType) else iter(v)


@op
def SEND(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    it, v = get(a), get(b)
    try:
        plain = v is None and not isinstance(it, types.CoroutineType)
        got = next(it) if plain else it.send(v)
    except StopIteration as stop:
        regs[a + 1] = stop.value
        return
    regs[a + 1] = got
    f.pc += 1


@op
def GET_AWAITABLE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = awaitable(get(b), d)


def awaitable(v, d=0):
    if isinstance(v, types.CoroutineType):
        return v
    if isinstance(v, types.GeneratorType) and v.gi_code.co_flags & 0x100:
        return v
    if not hasattr(type(v), "__await__"):
        where = ["", " that does not implement __await__: 'async with' received an object from __aenter__",
                 ""][0]
        names = ["", "__aenter__", "__aexit__"]
        if d:
            raise TypeError(
                f"'async with' received an object from {names[d]} that does not implement __await__: {type(v).__name__}"
            )
        raise TypeError(f"object {type(v).__name__} can't be used in 'await' expression{where}")
    it = type(v).__await__(v)
    if not hasattr(type(it), "__next__"):
        raise TypeError(f"__await__() returned non-iterator of type '{type(it).__name__}'")
    return it


@op
def GET_AITER(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = get(b)
    if not hasattr(type(v), "__aiter__"):
        raise TypeError(
            f"'async for' requires an object with __aiter__ method, got {type(v).__name__}"
        )
    it = type(v).__aiter__(v)
    if not hasattr(type(it), "__anext__"):
        raise TypeError(
            "'async for' received an object from __aiter__ that does not implement"
            f" __anext__: {type(it).__name__}"
        )
    regs[a] = it


@op
def GET_ANEXT(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v = type(get(b)).__anext__(get(b))
    try:
        regs[a] = awaitable(v)
    except TypeError as e:
        raise TypeError(
            f"'async for' received an invalid object from __anext__: {type(v).__name__}"
        ) from e


@op
def END_ASYNC_FOR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    e = get(a)
    if not isinstance(e, StopAsyncIteration):
        raise e


# --- patterns -------------------------------------------------------------------


@op
def MATCH_SEQUENCE(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = bool(type(get(b)).__flags__ & (1 << 5))


@op
def MATCH_MAPPING(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = bool(type(get(b)).__flags__ & (1 << 6))


@op
def MATCH_KEYS(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    m, keys, out, dummy = get(b), get(c), [], object()
    seen = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"mapping pattern checks duplicate key ({key!r})")
        seen.add(key)
        v = m.get(key, dummy)
        if v is dummy:
            regs[a] = None
            return
        out.append(v)
    regs[a] = tuple(out)


MATCH_SELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


@op
def MATCH_CLASS(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    v, cls, names = get(b), get(c), get(c + 1)
    if not isinstance(cls, type):
        raise TypeError("called match pattern must be a class")
    regs[a] = None
    if not isinstance(v, cls):
        return
    out, seen = [], set()

    def attr(name):
        if name in seen:
            raise TypeError(f"{cls.__name__}() got multiple sub-patterns for attribute '{name}'")
        seen.add(name)
        return getattr(v, name)

    try:
        if d:
            match_self = False
            args = getattr(cls, "__match_args__", None)
            if args is None:
                args = ()
                match_self = any(t in MATCH_SELF for t in cls.__mro__)
            elif type(args) is not tuple:
                raise TypeError(
                    f"{cls.__name__}.__match_args__ must be a tuple (got {type(args).__name__})"
                )
            allowed = 1 if match_self else len(args)
            if allowed < d:
                plural = "" if allowed == 1 else "s"
                raise TypeError(
                    f"{cls.__name__}() accepts {allowed} positional sub-pattern{plural} ({d} given)"
                )
            if match_self:
                out.append(v)
            else:
                for n in args[:d]:
                    if type(n) is not str:
                        raise TypeError(
                            f"__match_args__ elements must be strings (got {type(n).__name__})"
                        )
                    out.append(attr(n))
        for n in names:
            out.append(attr(n))
    except AttributeError:
        return
    regs[a] = tuple(out)


@op
def COPY_DICT_WITHOUT_KEYS(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    rest = dict(get(b))
    for key in get(c):
        del rest[key]
    regs[a] = rest


@op
def GET_LEN(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    regs[a] = len(get(b))


@op
def SETUP_ANNOTATIONS(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    if "__annotations__" not in get(a):
        get(a)["__annotations__"] = {}


@op
def PRINT_EXPR(f, unit, regs, get, k, ic, d, a, b, c, off, s16):
    sys.displayhook(get(a))


def main():
    path, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "__main__"
    with open(path) as file:
        unit = Unit(json.load(file))
    module = types.ModuleType(name)
    module.__file__ = unit.filename
    if name != "__main__":
        module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    sys.argv = [unit.filename] + sys.argv[3:]
    sys.setrecursionlimit(20000)
    module.__dict__["__builtins__"] = builtins
    run(Frame(unit, module.__dict__, (module.__dict__,), ()))
    if name != "__main__":
        import unittest

        unittest.main(module=module, argv=sys.argv)


main()
