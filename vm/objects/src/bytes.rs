//! `bytes`, and the methods it shares with `bytearray`: searching, splitting,
//! stripping, case. A result has the type of the receiver.

use crate::layout::Layout;
use crate::list::repeat_count;
use crate::native::{NativeDef, class_def, comparisons, def, effects, static_def};
use crate::shape::shape_of;
use crate::slice::slice_range;
use crate::str::{limit, ordered, str_arg, window};
use crate::stringlib as lib;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

const PURE: u8 = effects::READS | effects::ALLOC | effects::RAISES;

/// Methods of both types.
pub(crate) static SHARED: &[NativeDef] = &[
    def("__len__", "($self, /)", PURE, len),
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
    def("__add__", "($self, value, /)", PURE, add),
    def("__mul__", "($self, value, /)", effects::CALLS, mul),
    def("__rmul__", "($self, value, /)", effects::CALLS, mul),
    def("__mod__", "($self, value, /)", effects::ANY, mod_),
    def("__rmod__", "($self, value, /)", effects::ANY, |vm, a| {
        if vm.layout_of(a[1]) != vm.layout_of(a[0]) {
            return Ok(vm.not_implemented);
        }
        mod_(vm, &[a[1], a[0]])
    }),
    def("__lt__", "($self, value, /)", PURE, lt),
    def("__le__", "($self, value, /)", PURE, le),
    def("__eq__", "($self, value, /)", PURE, eq),
    def("__ne__", "($self, value, /)", PURE, ne),
    def("__gt__", "($self, value, /)", PURE, gt),
    def("__ge__", "($self, value, /)", PURE, ge),
    def(
        "find",
        "($self, sub, start=None, end=None, /)",
        effects::CALLS,
        find,
    ),
    def(
        "rfind",
        "($self, sub, start=None, end=None, /)",
        effects::CALLS,
        rfind,
    ),
    def(
        "index",
        "($self, sub, start=None, end=None, /)",
        effects::CALLS,
        index,
    ),
    def(
        "rindex",
        "($self, sub, start=None, end=None, /)",
        effects::CALLS,
        rindex,
    ),
    def(
        "count",
        "($self, sub, start=None, end=None, /)",
        effects::CALLS,
        count,
    ),
    def(
        "startswith",
        "($self, prefix, start=None, end=None, /)",
        effects::CALLS,
        startswith,
    ),
    def(
        "endswith",
        "($self, suffix, start=None, end=None, /)",
        effects::CALLS,
        endswith,
    ),
    def(
        "replace",
        "($self, old, new, count=-1, /)",
        effects::CALLS,
        replace,
    ),
    def(
        "split",
        "($self, /, sep=None, maxsplit=-1)",
        effects::CALLS,
        split,
    ),
    def(
        "rsplit",
        "($self, /, sep=None, maxsplit=-1)",
        effects::CALLS,
        rsplit,
    ),
    def(
        "splitlines",
        "($self, /, keepends=False)",
        effects::CALLS,
        splitlines,
    ),
    def("partition", "($self, sep, /)", PURE, partition),
    def("rpartition", "($self, sep, /)", PURE, rpartition),
    def(
        "join",
        "($self, iterable_of_bytes, /)",
        effects::CALLS,
        join,
    ),
    def("strip", "($self, bytes=None, /)", PURE, strip),
    def("lstrip", "($self, bytes=None, /)", PURE, lstrip),
    def("rstrip", "($self, bytes=None, /)", PURE, rstrip),
    def("removeprefix", "($self, prefix, /)", PURE, removeprefix),
    def("removesuffix", "($self, suffix, /)", PURE, removesuffix),
    def(
        "ljust",
        "($self, width, fillchar=b' ', /)",
        effects::CALLS,
        ljust,
    ),
    def(
        "rjust",
        "($self, width, fillchar=b' ', /)",
        effects::CALLS,
        rjust,
    ),
    def(
        "center",
        "($self, width, fillchar=b' ', /)",
        effects::CALLS,
        center,
    ),
    def("zfill", "($self, width, /)", effects::CALLS, zfill),
    def("upper", "($self, /)", PURE, upper),
    def("lower", "($self, /)", PURE, lower),
    def("swapcase", "($self, /)", PURE, swapcase),
    def("title", "($self, /)", PURE, title),
    def("capitalize", "($self, /)", PURE, capitalize),
    def("isalpha", "($self, /)", PURE, isalpha),
    def("isalnum", "($self, /)", PURE, isalnum),
    def("isdigit", "($self, /)", PURE, isdigit),
    def("isspace", "($self, /)", PURE, isspace),
    def("isascii", "($self, /)", PURE, isascii),
    def("islower", "($self, /)", PURE, islower),
    def("isupper", "($self, /)", PURE, isupper),
    def("istitle", "($self, /)", PURE, istitle),
    def(
        "expandtabs",
        "($self, /, tabsize=8)",
        effects::CALLS,
        expandtabs,
    ),
    def(
        "hex",
        "($self, sep=None, bytes_per_sep=1)",
        effects::CALLS,
        hex,
    ).doc("Two hexadecimal digits for each byte.\n\nA separator stands between groups of bytes, counted from the right or, for a\nnegative size, from the left.\n\n>>> b'\\xde\\xad\\xbe'.hex('-')\n'de-ad-be'\n"),
    def(
        "decode",
        "($self, /, encoding='utf-8', errors='strict')",
        effects::CALLS,
        decode,
    ),
    def(
        "translate",
        "($self, table, /, delete=b'')",
        effects::CALLS,
        translate,
    ),
    static_def("maketrans", "(frm, to, /)", PURE, maketrans),
    class_def("fromhex", "($type, string, /)", effects::CALLS, fromhex),
];

static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, source=b'', encoding=None, errors=None)",
        effects::CALLS,
        new,
    ),
    def("__repr__", "($self, /)", PURE, repr),
    def("__str__", "($self, /)", PURE, repr),
    def("__hash__", "($self, /)", PURE, hash),
    def("__iter__", "($self, /)", PURE, iter),
    def("__getitem__", "($self, key, /)", effects::CALLS, getitem),
    def("__getnewargs__", "($self, /)", PURE, getnewargs),
    def("__bytes__", "($self, /)", PURE, bytes),
];

/// Gives `bytes` its methods.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.bytes, SHARED);
    vm.add_methods(vm.types.bytes, METHODS);
}

/// The receiver's content.
pub(crate) fn this(vm: &Vm, v: Value) -> &'static [u8] {
    vm.buffer(v).unwrap_or(&[])
}

/// An object of the receiver's type with this content.
pub(crate) fn like(vm: &mut Vm, receiver: Value, b: &[u8]) -> Value {
    if shape_of(receiver).layout == Layout::ByteArray {
        vm.new_bytearray(b)
    } else {
        vm.new_bytes(b)
    }
}

/// The receiver itself if it is an exact `bytes`, else a copy.
fn unchanged(vm: &mut Vm, receiver: Value) -> Value {
    match vm.as_bytes(receiver) {
        Some(b) => b,
        None => vm.new_bytearray(this(vm, receiver)),
    }
}

fn parts(vm: &mut Vm, a: Value, ranges: Vec<std::ops::Range<usize>>) -> Value {
    let list = vm.new_list_with_capacity(ranges.len());
    for r in ranges {
        let p = like(vm, a, &this(vm, a)[r]);
        vm.list_append(list, p);
    }
    list
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let exact = vm.types.bytes;
    let class = vm.new_class_arg(a[0], exact)?;
    if a[2].is_null()
        && a[3].is_null()
        && class == exact
        && a[1].is_ptr()
        && shape_of(a[1]).layout == Layout::Bytes
    {
        return Ok(a[1]);
    }
    if a[1].is_some()
        && a[2].is_null()
        && a[3].is_null()
        && let Some(r) = vm.call_special(a[1], vm.names.bytes, &[])?
    {
        let Some(b) = vm.as_bytes(r) else {
            let m = format!("__bytes__ returned non-bytes (type {})", vm.class_name(r));
            return Err(vm.type_error(&m));
        };
        return Ok(if class == exact {
            r
        } else {
            vm.new_value(class, exact, b)
        });
    }
    let b = from_source(vm, a, "bytes")?;
    let b = vm.new_bytes(&b);
    Ok(vm.new_value(class, exact, b))
}

/// A byte value from an int-like object.
pub(crate) fn byte(vm: &mut Vm, v: Value, what: &str) -> R<u8> {
    if let Some(i @ 0..=255) = v.as_int() {
        return Ok(i as u8);
    }
    let class = vm.class_of(v);
    if !vm.is_int(v) && vm.lookup(class, vm.names.index).is_null() {
        let m = format!(
            "'{}' object cannot be interpreted as an integer",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(i @ 0..=255) => Ok(i as u8),
        _ => Err(vm.value_error(&format!("{what} must be in range(0, 256)"))),
    }
}

/// The content that `bytes(source, encoding, errors)` asks for; arguments from
/// index 1.
pub(crate) fn from_source(vm: &mut Vm, a: &[Value], class: &str) -> R<Vec<u8>> {
    let (source, encoding, errors) = (a[1], a[2], a[3]);
    if encoding.is_some() || errors.is_some() {
        let name = |vm: &mut Vm, v: Value, which: &str, default: &str| -> R<String> {
            if v.is_null() {
                return Ok(default.into());
            }
            let s = str_arg(vm, v, &format!("{class}() argument '{which}'"))?;
            Ok(vm.str_to_string(s))
        };
        let e = name(vm, encoding, "encoding", "utf-8")?;
        let h = name(vm, errors, "errors", "strict")?;
        let s = if source.is_some() {
            vm.as_str(source)
        } else {
            None
        };
        if s.is_some() && encoding.is_null() {
            return Err(vm.type_error("string argument without an encoding"));
        }
        let Some(s) = s else {
            let which = if encoding.is_some() {
                "encoding"
            } else {
                "errors"
            };
            return Err(vm.type_error(&format!("{which} without a string argument")));
        };
        return crate::codecs::encode(vm, s, &e, &h);
    }
    if source.is_null() {
        return Ok(Vec::new());
    }
    if vm.is_str(source) {
        return Err(vm.type_error("string argument without an encoding"));
    }
    if let Some(b) = vm.buffer_copy(source)? {
        return Ok(b);
    }
    let c = vm.class_of(source);
    if vm.is_int(source) || vm.lookup(c, vm.names.index).is_some() {
        let i = vm.index(source)?;
        return match vm.int_to_i64(i) {
            Some(n) if n < 0 => Err(vm.value_error("negative count")),
            Some(n) => {
                vm.room_for(n as usize)?;
                Ok(vec![0; n as usize])
            }
            _ => {
                let m = format!(
                    "cannot fit '{}' into an index-sized integer",
                    vm.class_name(source)
                );
                Err(vm.overflow_error(&m))
            }
        };
    }
    let it = vm.get_iter(source);
    let te = vm.types.type_error;
    let Some(it) = vm.catch(it, te)? else {
        let m = format!(
            "cannot convert '{}' object to {class}",
            vm.class_name(source)
        );
        return Err(vm.type_error(&m));
    };
    let mut out = Vec::new();
    let what = if class == "bytes" { "bytes" } else { "byte" };
    while let Some(v) = vm.iter_next(it)? {
        out.push(byte(vm, v, what)?);
    }
    Ok(out)
}

/// Adds `b'...'` as `repr` shows bytes.
pub(crate) fn push_repr(out: &mut TextBuf, b: &[u8]) {
    let double = b.contains(&b'\'') && !b.contains(&b'"');
    let quote = if double { b'"' } else { b'\'' };
    out.push_str("b");
    out.push(quote.into());
    for &c in b {
        match c {
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            c if c == quote => {
                out.push(0x5C);
                out.push(c.into());
            }
            0x20..=0x7E => out.push(c.into()),
            c => out.push_str(&format!("\\x{c:02x}")),
        }
    }
    out.push(quote.into());
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let mut out = TextBuf::new();
    push_repr(&mut out, this(vm, a[0]));
    Ok(out.finish(vm))
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.hash_bytes(this(vm, a[0]));
    Ok(vm.new_int(h))
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(this(vm, a[0]).len() as i64))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    let b = vm.as_bytes(a[0]).unwrap_or(a[0]);
    Ok(vm.new_seq_iter(b, vm.types.bytes_iter))
}

fn bytes(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.as_bytes(a[0]).unwrap_or(a[0]))
}

fn getnewargs(vm: &mut Vm, a: &[Value]) -> R {
    let b = vm.as_bytes(a[0]).unwrap_or(a[0]);
    Ok(vm.new_tuple(&[b]))
}

/// `receiver[key]` for both types; `what` names them in errors.
pub(crate) fn item(vm: &mut Vm, a: &[Value], what: &str) -> R {
    if vm.is_slice(a[1]) {
        let bounds = vm.slice_unpack(a[1])?;
        let b = this(vm, a[0]);
        let r = slice_range(bounds, b.len());
        if r.step == 1 {
            if r.len == b.len() {
                return Ok(unchanged(vm, a[0]));
            }
            return Ok(like(
                vm,
                a[0],
                &b[r.start as usize..r.start as usize + r.len],
            ));
        }
        let picked: Vec<u8> = (0..r.len).map(|i| b[r.at(i)]).collect();
        return Ok(like(vm, a[0], &picked));
    }
    let class = vm.class_of(a[1]);
    if !vm.is_int(a[1]) && vm.lookup(class, vm.names.index).is_null() {
        let kind = if what == "bytearray" {
            "bytearray"
        } else {
            "byte"
        };
        let m = format!(
            "{kind} indices must be integers or slices, not {}",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let i = vm.index_i64(a[1], false)?;
    let b = this(vm, a[0]);
    let i = if i < 0 { i + b.len() as i64 } else { i };
    if i < 0 || i >= b.len() as i64 {
        let m = if what == "bytearray" {
            "bytearray index out of range"
        } else {
            "index out of range"
        };
        return Err(vm.index_error(m));
    }
    Ok(Value::small(b[i as usize].into()))
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    item(vm, a, "bytes")
}

/// A bytes-like argument.
pub(crate) fn arg(vm: &mut Vm, v: Value) -> R<&'static [u8]> {
    match vm.buffer(v) {
        Some(b) => Ok(b),
        None => {
            let m = format!(
                "a bytes-like object is required, not '{}'",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}

/// What a search method looks for: bytes or one byte.
fn needle(vm: &mut Vm, v: Value) -> R<Vec<u8>> {
    if let Some(b) = vm.buffer(v) {
        return Ok(b.to_vec());
    }
    let class = vm.class_of(v);
    if vm.is_int(v) || vm.lookup(class, vm.names.index).is_some() {
        return Ok(vec![byte(vm, v, "byte")?]);
    }
    let m = format!(
        "argument should be integer or bytes-like object, not '{}'",
        vm.type_name(class)
    );
    Err(vm.type_error(&m))
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[1]);
    let n = if vm.is_int(a[1]) || vm.lookup(class, vm.names.index).is_some() {
        vec![byte(vm, a[1], "byte")?]
    } else {
        arg(vm, a[1])?.to_vec()
    };
    let found = lib::find(this(vm, a[0]), &n).is_some();
    Ok(vm.bool(found))
}

fn add(vm: &mut Vm, a: &[Value]) -> R {
    let Some(b) = vm.buffer(a[1]) else {
        let m = format!(
            "can't concat {} to {}",
            vm.class_name(a[1]),
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    };
    let joined = [this(vm, a[0]), b].concat();
    Ok(like(vm, a[0], &joined))
}

fn mul(vm: &mut Vm, a: &[Value]) -> R {
    let n = this(vm, a[0]).len();
    let Some(n) = repeat_count(vm, a[1], n, 1)? else {
        return Ok(vm.not_implemented);
    };
    if n == 1 {
        return Ok(unchanged(vm, a[0]));
    }
    let b = this(vm, a[0]).repeat(n);
    Ok(like(vm, a[0], &b))
}

fn mod_(vm: &mut Vm, a: &[Value]) -> R {
    let b = this(vm, a[0]).to_vec();
    let out = crate::percent::format(vm, crate::text::Text::One(&b), a[1], true)?;
    Ok(like(vm, a[0], &out.into_bytes()))
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    // `bytes` compare with their own kind only; other kinds know how to do it.
    if vm.as_bytes(a[0]).is_some() && vm.as_bytes(a[1]).is_none() {
        return Ok(vm.not_implemented);
    }
    let Some(y) = vm.buffer(a[1]) else {
        return Ok(vm.not_implemented);
    };
    let o = this(vm, a[0]).cmp(y);
    Ok(vm.bool(ordered(op, o)))
}

fn search(vm: &mut Vm, a: &[Value], from_right: bool) -> R<Option<usize>> {
    let n = needle(vm, a[1])?;
    let len = this(vm, a[0]).len();
    let Some(w) = window(vm, a[2], a[3], len)? else {
        return Ok(None);
    };
    let start = w.start;
    let h = &this(vm, a[0])[w];
    let at = if from_right {
        lib::rfind(h, &n)
    } else {
        lib::find(h, &n)
    };
    Ok(at.map(|i| i + start))
}

fn position(vm: &mut Vm, i: Option<usize>) -> R {
    Ok(vm.new_int(i.map_or(-1, |i| i as i64)))
}

fn find(vm: &mut Vm, a: &[Value]) -> R {
    let i = search(vm, a, false)?;
    position(vm, i)
}

fn rfind(vm: &mut Vm, a: &[Value]) -> R {
    let i = search(vm, a, true)?;
    position(vm, i)
}

fn index(vm: &mut Vm, a: &[Value]) -> R {
    match search(vm, a, false)? {
        Some(i) => position(vm, Some(i)),
        None => Err(vm.value_error("subsection not found")),
    }
}

fn rindex(vm: &mut Vm, a: &[Value]) -> R {
    match search(vm, a, true)? {
        Some(i) => position(vm, Some(i)),
        None => Err(vm.value_error("subsection not found")),
    }
}

fn count(vm: &mut Vm, a: &[Value]) -> R {
    let n = needle(vm, a[1])?;
    let len = this(vm, a[0]).len();
    let c = match window(vm, a[2], a[3], len)? {
        Some(w) => lib::count(&this(vm, a[0])[w], &n),
        None => 0,
    };
    Ok(vm.new_int(c as i64))
}

fn affix(vm: &mut Vm, a: &[Value], end: bool) -> R {
    let len = this(vm, a[0]).len();
    let w = window(vm, a[2], a[3], len)?;
    let affixes = match vm.as_tuple(a[1]) {
        Some(t) => vm.tuple_items(t),
        None => &a[1..2],
    };
    for &p in affixes {
        let Some(p) = vm.buffer(p) else {
            let name = if end { "endswith" } else { "startswith" };
            let m = if vm.as_tuple(a[1]).is_some() {
                format!(
                    "a bytes-like object is required, not '{}'",
                    vm.class_name(p)
                )
            } else {
                format!(
                    "{name} first arg must be bytes or a tuple of bytes, not {}",
                    vm.class_name(p)
                )
            };
            return Err(vm.type_error(&m));
        };
        if let Some(w) = w.clone() {
            let h = &this(vm, a[0])[w];
            if if end {
                h.ends_with(p)
            } else {
                h.starts_with(p)
            } {
                return Ok(vm.true_);
            }
        }
    }
    Ok(vm.false_)
}

fn startswith(vm: &mut Vm, a: &[Value]) -> R {
    affix(vm, a, false)
}

fn endswith(vm: &mut Vm, a: &[Value]) -> R {
    affix(vm, a, true)
}

fn replace(vm: &mut Vm, a: &[Value]) -> R {
    let (old, new) = (arg(vm, a[1])?.to_vec(), arg(vm, a[2])?.to_vec());
    let max = limit(vm, a[3])?;
    let h = this(vm, a[0]);
    let at = lib::positions(h, &old, max);
    if at.is_empty() {
        return Ok(unchanged(vm, a[0]));
    }
    let mut out = Vec::with_capacity(h.len());
    let mut from = 0;
    for i in at {
        out.extend_from_slice(&h[from..i]);
        out.extend_from_slice(&new);
        from = i + old.len();
    }
    out.extend_from_slice(&h[from..]);
    Ok(like(vm, a[0], &out))
}

fn is_space(c: u8) -> bool {
    matches!(c, 9..=13 | 32)
}

fn split_with(vm: &mut Vm, a: &[Value], right: bool) -> R {
    let max = limit(vm, a[2])?;
    let h = this(vm, a[0]);
    let ranges = if a[1].is_null() || a[1] == vm.none {
        let space = |i: usize| is_space(h[i]);
        if right {
            lib::rsplit_space(h.len(), max, space)
        } else {
            lib::split_space(h.len(), max, space)
        }
    } else {
        let sep = arg(vm, a[1])?;
        if sep.is_empty() {
            return Err(vm.value_error("empty separator"));
        }
        let at = if right {
            let mut at = lib::rpositions(h, sep, max);
            at.reverse();
            at
        } else {
            lib::positions(h, sep, max)
        };
        lib::between(h.len(), &at, sep.len())
    };
    Ok(parts(vm, a[0], ranges))
}

fn split(vm: &mut Vm, a: &[Value]) -> R {
    split_with(vm, a, false)
}

fn rsplit(vm: &mut Vm, a: &[Value]) -> R {
    split_with(vm, a, true)
}

fn splitlines(vm: &mut Vm, a: &[Value]) -> R {
    let keep = a[1].is_some() && vm.truth(a[1])?;
    let h = this(vm, a[0]);
    let ranges = lib::split_lines(h.len(), keep, |i| h[i].into(), |c| c == 10 || c == 13);
    Ok(parts(vm, a[0], ranges))
}

fn partition_at(vm: &mut Vm, a: &[Value], right: bool) -> R {
    let sep = arg(vm, a[1])?.to_vec();
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let h = this(vm, a[0]).to_vec();
    let at = if right {
        lib::rfind(&h, &sep)
    } else {
        lib::find(&h, &sep)
    };
    let (x, y, z): (&[u8], &[u8], &[u8]) = match at {
        Some(i) => (&h[..i], &sep, &h[i + sep.len()..]),
        None if right => (b"", b"", &h),
        None => (&h, b"", b""),
    };
    let items = [like(vm, a[0], x), like(vm, a[0], y), like(vm, a[0], z)];
    Ok(vm.new_tuple(&items))
}

fn partition(vm: &mut Vm, a: &[Value]) -> R {
    partition_at(vm, a, false)
}

fn rpartition(vm: &mut Vm, a: &[Value]) -> R {
    partition_at(vm, a, true)
}

fn join(vm: &mut Vm, a: &[Value]) -> R {
    let it = vm.get_iter(a[1]);
    let te = vm.types.type_error;
    let Some(it) = vm.catch(it, te)? else {
        return Err(vm.type_error("can only join an iterable"));
    };
    let list = vm.list_from_iterable(it)?;
    let mut out = Vec::new();
    for i in 0..vm.list_len(list) {
        let v = vm.list_get(list, i);
        let Some(b) = vm.buffer(v) else {
            let m = format!(
                "sequence item {i}: expected a bytes-like object, {} found",
                vm.class_name(v)
            );
            return Err(vm.type_error(&m));
        };
        if i > 0 {
            out.extend_from_slice(this(vm, a[0]));
        }
        out.extend_from_slice(b);
    }
    Ok(like(vm, a[0], &out))
}

fn strip_with(vm: &mut Vm, a: &[Value], left: bool, right: bool) -> R {
    let h = this(vm, a[0]);
    let r = if a[1].is_null() || a[1] == vm.none {
        lib::strip(h.len(), left, right, |i| is_space(h[i]))
    } else {
        let chars = arg(vm, a[1])?;
        lib::strip(h.len(), left, right, |i| chars.contains(&h[i]))
    };
    if r.len() == h.len() {
        return Ok(unchanged(vm, a[0]));
    }
    Ok(like(vm, a[0], &h[r]))
}

fn strip(vm: &mut Vm, a: &[Value]) -> R {
    strip_with(vm, a, true, true)
}

fn lstrip(vm: &mut Vm, a: &[Value]) -> R {
    strip_with(vm, a, true, false)
}

fn rstrip(vm: &mut Vm, a: &[Value]) -> R {
    strip_with(vm, a, false, true)
}

fn removeprefix(vm: &mut Vm, a: &[Value]) -> R {
    let p = arg(vm, a[1])?;
    match this(vm, a[0]).strip_prefix(p) {
        Some(rest) => Ok(like(vm, a[0], rest)),
        None => Ok(unchanged(vm, a[0])),
    }
}

fn removesuffix(vm: &mut Vm, a: &[Value]) -> R {
    let p = arg(vm, a[1])?;
    match this(vm, a[0]).strip_suffix(p) {
        Some(rest) => Ok(like(vm, a[0], rest)),
        None => Ok(unchanged(vm, a[0])),
    }
}

fn justify(vm: &mut Vm, a: &[Value], name: &str, left: fn(usize, usize) -> usize) -> R {
    let width = vm.index_i64(a[1], false)?.max(0) as usize;
    vm.room_for(width)?;
    let fill = if a[2].is_null() {
        b' '
    } else {
        match vm.buffer(a[2]) {
            Some(&[c]) => c,
            _ => {
                let m = format!(
                    "{name}() argument 2 must be a byte string of length 1, not {}",
                    vm.class_name(a[2])
                );
                return Err(vm.type_error(&m));
            }
        }
    };
    let h = this(vm, a[0]);
    let n = width.saturating_sub(h.len());
    let before = left(n, width);
    let mut out = vec![fill; before];
    out.extend_from_slice(h);
    out.extend(std::iter::repeat_n(fill, n - before));
    Ok(like(vm, a[0], &out))
}

fn ljust(vm: &mut Vm, a: &[Value]) -> R {
    justify(vm, a, "ljust", |_, _| 0)
}

fn rjust(vm: &mut Vm, a: &[Value]) -> R {
    justify(vm, a, "rjust", |n, _| n)
}

fn center(vm: &mut Vm, a: &[Value]) -> R {
    justify(vm, a, "center", |n, width| n / 2 + (n & width & 1))
}

fn zfill(vm: &mut Vm, a: &[Value]) -> R {
    let width = vm.index_i64(a[1], false)?.max(0) as usize;
    let h = this(vm, a[0]);
    let n = width.saturating_sub(h.len());
    let sign = usize::from(matches!(h.first(), Some(b'+' | b'-')));
    let mut out = h[..sign].to_vec();
    out.extend(std::iter::repeat_n(b'0', n));
    out.extend_from_slice(&h[sign..]);
    Ok(like(vm, a[0], &out))
}

fn upper(vm: &mut Vm, a: &[Value]) -> R {
    let b = this(vm, a[0]).to_ascii_uppercase();
    Ok(like(vm, a[0], &b))
}

fn lower(vm: &mut Vm, a: &[Value]) -> R {
    let b = this(vm, a[0]).to_ascii_lowercase();
    Ok(like(vm, a[0], &b))
}

fn swap(c: u8) -> u8 {
    if c.is_ascii_uppercase() {
        c.to_ascii_lowercase()
    } else {
        c.to_ascii_uppercase()
    }
}

fn swapcase(vm: &mut Vm, a: &[Value]) -> R {
    let b: Vec<u8> = this(vm, a[0]).iter().map(|&c| swap(c)).collect();
    Ok(like(vm, a[0], &b))
}

fn title(vm: &mut Vm, a: &[Value]) -> R {
    let mut inside = false;
    let b: Vec<u8> = this(vm, a[0])
        .iter()
        .map(|c| {
            let r = if inside {
                c.to_ascii_lowercase()
            } else {
                c.to_ascii_uppercase()
            };
            inside = c.is_ascii_alphabetic();
            r
        })
        .collect();
    Ok(like(vm, a[0], &b))
}

fn capitalize(vm: &mut Vm, a: &[Value]) -> R {
    let mut b = this(vm, a[0]).to_ascii_lowercase();
    if let Some(c) = b.first_mut() {
        c.make_ascii_uppercase();
    }
    Ok(like(vm, a[0], &b))
}

fn all(vm: &mut Vm, a: &[Value], f: fn(&u8) -> bool) -> R {
    let b = this(vm, a[0]);
    Ok(vm.bool(!b.is_empty() && b.iter().all(f)))
}

fn isalpha(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u8::is_ascii_alphabetic)
}

fn isalnum(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u8::is_ascii_alphanumeric)
}

fn isdigit(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u8::is_ascii_digit)
}

fn isspace(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, |&c| is_space(c))
}

fn isascii(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.bool(this(vm, a[0]).is_ascii()))
}

fn islower(vm: &mut Vm, a: &[Value]) -> R {
    let b = this(vm, a[0]);
    let ok = b.iter().any(u8::is_ascii_lowercase) && !b.iter().any(u8::is_ascii_uppercase);
    Ok(vm.bool(ok))
}

fn isupper(vm: &mut Vm, a: &[Value]) -> R {
    let b = this(vm, a[0]);
    let ok = b.iter().any(u8::is_ascii_uppercase) && !b.iter().any(u8::is_ascii_lowercase);
    Ok(vm.bool(ok))
}

fn istitle(vm: &mut Vm, a: &[Value]) -> R {
    let (mut any, mut inside) = (false, false);
    for c in this(vm, a[0]) {
        if c.is_ascii_alphabetic() {
            if c.is_ascii_uppercase() == inside {
                return Ok(vm.false_);
            }
            (any, inside) = (true, true);
        } else {
            inside = false;
        }
    }
    Ok(vm.bool(any))
}

fn expandtabs(vm: &mut Vm, a: &[Value]) -> R {
    let tab = if a[1].is_null() {
        8
    } else {
        vm.index_i64(a[1], false)?.max(0) as usize
    };
    let (mut out, mut column) = (Vec::new(), 0);
    for &c in this(vm, a[0]) {
        if c == 9 {
            if tab > 0 {
                let n = tab - column % tab;
                out.extend(std::iter::repeat_n(b' ', n));
                column += n;
            }
        } else {
            column = if matches!(c, 10 | 13) { 0 } else { column + 1 };
            out.push(c);
        }
    }
    Ok(like(vm, a[0], &out))
}

fn hex(vm: &mut Vm, a: &[Value]) -> R {
    let mut sep = None;
    if a[1].is_some() {
        if vm.len(a[1])? != 1 {
            return Err(vm.value_error("sep must be length 1."));
        }
        let t = match vm.as_str(a[1]) {
            Some(s) => vm.str_to_string(s),
            None => match vm.as_bytes(a[1]) {
                Some(b) => vm.bytes(b).iter().map(|&c| c as char).collect(),
                None => return Err(vm.type_error("sep must be str or bytes.")),
            },
        };
        if !t.is_ascii() {
            return Err(vm.value_error("sep must be ASCII."));
        }
        sep = Some(t);
    }
    let group = if a[2].is_null() {
        1
    } else {
        vm.index_i64(a[2], false)?
    };
    let b = this(vm, a[0]);
    let n = group.unsigned_abs() as usize;
    let mut out = String::with_capacity(b.len() * 2);
    for (i, c) in b.iter().enumerate() {
        // Groups are counted from the right unless the number is negative.
        let at = if group < 0 { i } else { b.len() - i };
        if let Some(s) = &sep
            && i > 0
            && n > 0
            && at % n == 0
        {
            out.push_str(s);
        }
        out.push_str(&format!("{c:02x}"));
    }
    Ok(vm.new_str_latin1(out.as_bytes()))
}

fn decode(vm: &mut Vm, a: &[Value]) -> R {
    let mut name = |v: Value, which: &str, default: &str| -> R<String> {
        if v.is_null() {
            return Ok(default.into());
        }
        let s = str_arg(vm, v, &format!("decode() argument '{which}'"))?;
        Ok(vm.str_to_string(s))
    };
    let e = name(a[1], "encoding", "utf-8")?;
    let h = name(a[2], "errors", "strict")?;
    let b = this(vm, a[0]).to_vec();
    crate::codecs::decode(vm, &b, &e, &h)
}

fn translate(vm: &mut Vm, a: &[Value]) -> R {
    let table = if a[1] == vm.none {
        None
    } else {
        let t = arg(vm, a[1])?;
        if t.len() != 256 {
            return Err(vm.value_error("translation table must be 256 characters long"));
        }
        Some(t)
    };
    let delete = if a[2].is_null() { &[] } else { arg(vm, a[2])? };
    let out: Vec<u8> = this(vm, a[0])
        .iter()
        .filter(|c| !delete.contains(c))
        .map(|&c| table.map_or(c, |t| t[c as usize]))
        .collect();
    Ok(like(vm, a[0], &out))
}

fn maketrans(vm: &mut Vm, a: &[Value]) -> R {
    let (from, to) = (arg(vm, a[0])?, arg(vm, a[1])?);
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (&f, &t) in from.iter().zip(to) {
        table[f as usize] = t;
    }
    Ok(vm.new_bytes(&table))
}

fn fromhex(vm: &mut Vm, a: &[Value]) -> R {
    let s = str_arg(vm, a[1], "fromhex() argument")?;
    let t = vm.text(s);
    let digit = |i: usize| -> Option<u8> {
        let c = if i < t.len() { t.at(i) } else { 0 };
        char::from_u32(c)?.to_digit(16).map(|d| d as u8)
    };
    let (mut out, mut i) = (Vec::new(), 0);
    while i < t.len() {
        if matches!(t.at(i), 9..=13 | 32) {
            i += 1;
            continue;
        }
        let bad = match (digit(i), digit(i + 1)) {
            (Some(h), Some(l)) => {
                out.push(h << 4 | l);
                i += 2;
                continue;
            }
            (None, _) => i,
            _ => i + 1,
        };
        let m = format!("non-hexadecimal number found in fromhex() arg at position {bad}");
        return Err(vm.value_error(&m));
    }
    let bytes = vm.new_bytes(&out);
    if a[0] == vm.types.bytes.value() {
        return Ok(bytes);
    }
    vm.call(a[0], &[bytes])
}
