//! `str`: construction, operators, searching, splitting, joining. Case and
//! classification are in `str_case.rs`, `format` in `str_format.rs`.

use crate::list::{repeat_count, search_bounds};
use crate::native::{NativeDef, comparisons, def, effects, static_def};
use crate::slice::slice_range;
use crate::stringlib as lib;
use crate::text::{Text, compare};
use crate::textbuf::TextBuf;
use crate::unicode;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

const PURE: u8 = effects::PURE | effects::ALLOC | effects::RAISES;

static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, object='', encoding='utf-8', errors='strict')",
        effects::CALLS,
        new,
    ),
    def("__repr__", "($self, /)", PURE, repr),
    def("__str__", "($self, /)", PURE, exact),
    def("__hash__", "($self, /)", PURE, hash),
    def("__len__", "($self, /)", PURE, len),
    def("__iter__", "($self, /)", PURE, iter),
    def("__getitem__", "($self, key, /)", effects::CALLS, getitem),
    def("__contains__", "($self, key, /)", PURE, contains),
    def("__add__", "($self, value, /)", PURE, add),
    def("__mul__", "($self, value, /)", effects::CALLS, mul),
    def("__rmul__", "($self, value, /)", effects::CALLS, mul),
    def("__mod__", "($self, value, /)", effects::ANY, mod_),
    def("__rmod__", "($self, value, /)", effects::ANY, rmod),
    def("__lt__", "($self, value, /)", PURE, lt),
    def("__le__", "($self, value, /)", PURE, le),
    def("__eq__", "($self, value, /)", PURE, eq),
    def("__ne__", "($self, value, /)", PURE, ne),
    def("__gt__", "($self, value, /)", PURE, gt),
    def("__ge__", "($self, value, /)", PURE, ge),
    def("__getnewargs__", "($self, /)", effects::ALLOC, getnewargs),
    def("__sizeof__", "($self, /)", PURE, sizeof),
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
    def("join", "($self, iterable, /)", effects::CALLS, join),
    def("strip", "($self, chars=None, /)", PURE, strip),
    def("lstrip", "($self, chars=None, /)", PURE, lstrip),
    def("rstrip", "($self, chars=None, /)", PURE, rstrip),
    def("removeprefix", "($self, prefix, /)", PURE, removeprefix),
    def("removesuffix", "($self, suffix, /)", PURE, removesuffix),
    def(
        "ljust",
        "($self, width, fillchar=' ', /)",
        effects::CALLS,
        ljust,
    ),
    def(
        "rjust",
        "($self, width, fillchar=' ', /)",
        effects::CALLS,
        rjust,
    ),
    def(
        "center",
        "($self, width, fillchar=' ', /)",
        effects::CALLS,
        center,
    ),
    def("zfill", "($self, width, /)", effects::CALLS, zfill),
    def(
        "expandtabs",
        "($self, /, tabsize=8)",
        effects::CALLS,
        expandtabs,
    ),
    def("translate", "($self, table, /)", effects::CALLS, translate),
    static_def(
        "maketrans",
        "(x, y=None, z=None, /)",
        effects::CALLS,
        maketrans,
    ),
    def(
        "encode",
        "($self, /, encoding='utf-8', errors='strict')",
        effects::CALLS,
        encode,
    ),
    def("__format__", "($self, format_spec, /)", PURE, format),
];

/// Gives `str` its methods.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.str_, METHODS);
    crate::str_case::install(vm);
    crate::str_format::install(vm);
}

/// Runs an expression with two texts as slices of the wider one's units; the
/// last expression is for a needle that holds what the other cannot.
macro_rules! aligned {
    ($h:expr, $n:expr, |$x:ident, $y:ident| $e:expr, $none:expr) => {
        match ($h, $n) {
            (Text::One($x), Text::One($y)) => $e,
            (Text::Two($x), Text::Two($y)) => $e,
            (Text::Four($x), Text::Four($y)) => $e,
            (Text::Two($x), Text::One(y)) => {
                let w: Vec<u16> = y.iter().map(|&c| c.into()).collect();
                let $y = &w[..];
                $e
            }
            (Text::Four($x), n @ (Text::One(_) | Text::Two(_))) => {
                let w: Vec<u32> = n.iter().collect();
                let $y = &w[..];
                $e
            }
            _ => $none,
        }
    };
}

/// The exact string of a receiver.
pub(crate) fn this(vm: &Vm, v: Value) -> Value {
    vm.as_str(v).unwrap_or(v)
}

fn text(vm: &Vm, v: Value) -> Text<'static> {
    vm.text(this(vm, v))
}

/// A part of string `s`; `s` itself if it is all of it.
fn part(vm: &mut Vm, s: Value, r: std::ops::Range<usize>) -> Value {
    let t = vm.text(s);
    if r.len() == t.len() {
        return s;
    }
    vm.new_str_text(t.slice(r))
}

fn parts(vm: &mut Vm, s: Value, ranges: Vec<std::ops::Range<usize>>) -> Value {
    let list = vm.new_list_with_capacity(ranges.len());
    for r in ranges {
        let p = part(vm, s, r);
        vm.list_append(list, p);
    }
    list
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let str_ = vm.types.str_;
    let class = vm.new_class_arg(a[0], str_)?;
    let s = if a[2].is_some() || a[3].is_some() {
        decode_argument(vm, a)?
    } else if a[1].is_null() {
        vm.empty_str
    } else {
        vm.str(a[1])?
    };
    if class == str_ {
        return Ok(s);
    }
    let s = this(vm, s);
    Ok(vm.new_value(class, str_, s))
}

fn decode_argument(vm: &mut Vm, a: &[Value]) -> R {
    let name = |vm: &mut Vm, v: Value, which: &str| -> R<Option<String>> {
        if v.is_null() {
            return Ok(None);
        }
        if !vm.is_str(v) {
            let m = format!(
                "str() argument '{which}' must be str, not {}",
                vm.class_name(v)
            );
            return Err(vm.type_error(&m));
        }
        Ok(Some(vm.str_to_string(v)))
    };
    let encoding = name(vm, a[2], "encoding")?;
    let errors = name(vm, a[3], "errors")?;
    if a[1].is_null() {
        return Ok(vm.empty_str);
    }
    if vm.is_str(a[1]) {
        return Err(vm.type_error("decoding str is not supported"));
    }
    let Some(b) = vm.buffer(a[1]) else {
        let m = format!(
            "decoding to str: need a bytes-like object, {} found",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    };
    let b = b.to_vec();
    crate::codecs::decode(
        vm,
        &b,
        encoding.as_deref().unwrap_or("utf-8"),
        errors.as_deref().unwrap_or("strict"),
    )
}

fn exact(vm: &mut Vm, a: &[Value]) -> R {
    Ok(this(vm, a[0]))
}

/// Adds `c` as `repr` shows it inside quotes.
pub(crate) fn push_escaped(out: &mut TextBuf, c: u32, quote: u32) {
    match c {
        0x5C => out.push_str("\\\\"),
        c if c == quote => {
            out.push(0x5C);
            out.push(c);
        }
        9 => out.push_str("\\t"),
        10 => out.push_str("\\n"),
        13 => out.push_str("\\r"),
        0x20..=0x7E => out.push(c),
        c if c >= 0x80 && unicode::is_printable(c) => out.push(c),
        c => push_hex(out, c),
    }
}

/// `\xhh`, `\uhhhh` or `\Uhhhhhhhh`.
pub fn push_hex(out: &mut TextBuf, c: u32) {
    out.push_str(&match c {
        0..=0xFF => format!("\\x{c:02x}"),
        0x100..=0xFFFF => format!("\\u{c:04x}"),
        _ => format!("\\U{c:08x}"),
    });
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let (mut single, mut double) = (false, false);
    for c in t.iter() {
        single |= c == 0x27;
        double |= c == 0x22;
    }
    let quote = if single && !double { 0x22 } else { 0x27 };
    let mut out = TextBuf::new();
    out.push(quote);
    for c in t.iter() {
        push_escaped(&mut out, c, quote);
    }
    out.push(quote);
    Ok(out.finish(vm))
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.str_hash(this(vm, a[0]));
    Ok(vm.new_int(h))
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(text(vm, a[0]).len() as i64))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    let ascii = matches!(vm.text(s), Text::One(b) if b.is_ascii());
    let class = if ascii {
        vm.types.str_ascii_iter
    } else {
        vm.types.str_iter
    };
    Ok(vm.new_seq_iter(s, class))
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    if vm.is_slice(a[1]) {
        let bounds = vm.slice_unpack(a[1])?;
        let t = vm.text(s);
        let r = slice_range(bounds, t.len());
        if r.step == 1 {
            return Ok(part(vm, s, r.start as usize..r.start as usize + r.len));
        }
        return Ok(match t {
            Text::One(t) => {
                let b: Vec<u8> = (0..r.len).map(|i| t[r.at(i)]).collect();
                vm.new_str_latin1(&b)
            }
            t => {
                let p: Vec<u32> = (0..r.len).map(|i| t.at(r.at(i))).collect();
                vm.new_str_points(&p)
            }
        });
    }
    let i = match a[1].as_int() {
        Some(i) => i,
        None => {
            let class = vm.class_of(a[1]);
            let n = vm.names.index;
            if !vm.is_int(a[1]) && vm.lookup(class, n).is_null() {
                let m = format!(
                    "string indices must be integers, not '{}'",
                    vm.type_name(class)
                );
                return Err(vm.type_error(&m));
            }
            vm.index_i64(a[1], false)?
        }
    };
    let t = vm.text(s);
    let i = if i < 0 { i + t.len() as i64 } else { i };
    if i < 0 || i >= t.len() as i64 {
        return Err(vm.index_error("string index out of range"));
    }
    Ok(vm.new_str_char(t.at(i as usize)))
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let Some(n) = vm.as_str(a[1]) else {
        let m = format!(
            "'in <string>' requires string as left operand, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    };
    let found = find_text(text(vm, a[0]), vm.text(n)).is_some();
    Ok(vm.bool(found))
}

/// First position of a text in another.
pub fn find_text(h: Text<'_>, n: Text<'_>) -> Option<usize> {
    aligned!(h, n, |x, y| lib::find(x, y), None)
}

fn add(vm: &mut Vm, a: &[Value]) -> R {
    let Some(b) = vm.as_str(a[1]) else {
        let m = format!(
            "can only concatenate str (not \"{}\") to str",
            vm.class_name(a[1])
        );
        // The other operand may know how to do it.
        let class = vm.class_of(a[1]);
        if vm.lookup(class, vm.names.radd).is_some() {
            return Ok(vm.not_implemented);
        }
        return Err(vm.type_error(&m));
    };
    let s = this(vm, a[0]);
    Ok(vm.str_concat(s, b))
}

fn mul(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    let t = vm.text(s);
    let Some(n) = repeat_count(vm, a[1], t.len(), 1)? else {
        return Ok(vm.not_implemented);
    };
    if n == 1 || t.is_empty() {
        return Ok(s);
    }
    Ok(match t {
        Text::One(b) => {
            let b = b.repeat(n);
            vm.new_str_latin1(&b)
        }
        Text::Two(p) => {
            let p = p.repeat(n);
            vm.new_str_text(Text::Two(&p))
        }
        Text::Four(p) => {
            let p = p.repeat(n);
            vm.new_str_points(&p)
        }
    })
}

fn mod_(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    let out = crate::percent::format(vm, vm.text(s), a[1], false)?;
    Ok(out.finish(vm))
}

fn rmod(vm: &mut Vm, a: &[Value]) -> R {
    match vm.as_str(a[1]) {
        Some(_) => mod_(vm, &[a[1], a[0]]),
        None => Ok(vm.not_implemented),
    }
}

comparisons!(compare_op);

fn compare_op(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let x = this(vm, a[0]);
    let Some(y) = vm.as_str(a[1]) else {
        return Ok(vm.not_implemented);
    };
    let r = match op {
        CmpOp::Eq => vm.str_eq(x, y),
        CmpOp::Ne => !vm.str_eq(x, y),
        _ => ordered(op, compare(vm.text(x), vm.text(y))),
    };
    Ok(vm.bool(r))
}

/// Whether an ordering satisfies a comparison.
pub(crate) fn ordered(op: CmpOp, o: std::cmp::Ordering) -> bool {
    match op {
        CmpOp::Lt => o.is_lt(),
        CmpOp::Le => o.is_le(),
        CmpOp::Gt => o.is_gt(),
        CmpOp::Ge => o.is_ge(),
        CmpOp::Eq => o.is_eq(),
        _ => o.is_ne(),
    }
}

fn getnewargs(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    // A string of its own, for a subclass's instance not to be kept alive.
    let copy = vm.new_str_text(vm.text(s));
    Ok(vm.new_tuple(&[copy]))
}

fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(crate::heap::size_of_object(a[0]) as i64))
}

/// A `str` argument of a search method.
fn needle(vm: &mut Vm, v: Value) -> R {
    match vm.as_str(v) {
        Some(s) => Ok(s),
        None => {
            let m = format!("must be str, not {}", vm.class_name(v));
            Err(vm.type_error(&m))
        }
    }
}

/// Start and end arguments applied to a length; `None` if the window is empty
/// because it starts beyond its end.
pub(crate) fn window(
    vm: &mut Vm,
    start: Value,
    end: Value,
    len: usize,
) -> R<Option<std::ops::Range<usize>>> {
    let or_null = |v: Value, none: Value| if v == none { Value::NULL } else { v };
    let (s, e) = (or_null(start, vm.none), or_null(end, vm.none));
    let (s, e) = search_bounds(vm, s, e, len)?;
    let e = e.min(len);
    Ok((s <= e).then_some(s..e))
}

fn search(vm: &mut Vm, a: &[Value], from_right: bool) -> R<Option<usize>> {
    let n = needle(vm, a[1])?;
    let (h, n) = (text(vm, a[0]), vm.text(n));
    let Some(w) = window(vm, a[2], a[3], h.len())? else {
        return Ok(None);
    };
    let start = w.start;
    let h = h.slice(w);
    let at = if from_right {
        aligned!(h, n, |x, y| lib::rfind(x, y), None)
    } else {
        find_text(h, n)
    };
    Ok(at.map(|i| i + start))
}

fn position(vm: &mut Vm, at: Option<usize>) -> R {
    Ok(vm.new_int(at.map_or(-1, |i| i as i64)))
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
        None => Err(vm.value_error("substring not found")),
    }
}

fn rindex(vm: &mut Vm, a: &[Value]) -> R {
    match search(vm, a, true)? {
        Some(i) => position(vm, Some(i)),
        None => Err(vm.value_error("substring not found")),
    }
}

fn count(vm: &mut Vm, a: &[Value]) -> R {
    let n = needle(vm, a[1])?;
    let (h, n) = (text(vm, a[0]), vm.text(n));
    let c = match window(vm, a[2], a[3], h.len())? {
        Some(w) => aligned!(h.slice(w), n, |x, y| lib::count(x, y), 0),
        None => 0,
    };
    Ok(vm.new_int(c as i64))
}

fn same(a: Text<'_>, b: Text<'_>) -> bool {
    a.len() == b.len() && compare(a, b).is_eq()
}

fn has_affix(h: Text<'_>, n: Text<'_>, end: bool) -> bool {
    if n.len() > h.len() {
        return false;
    }
    let at = if end { h.len() - n.len() } else { 0 };
    same(h.slice(at..at + n.len()), n)
}

fn affix(vm: &mut Vm, a: &[Value], end: bool) -> R {
    let h = text(vm, a[0]);
    let w = window(vm, a[2], a[3], h.len())?;
    let name = if end { "endswith" } else { "startswith" };
    let affixes = match vm.as_tuple(a[1]) {
        Some(t) => vm.tuple_items(t),
        None => &a[1..2],
    };
    for &p in affixes {
        let Some(p) = vm.as_str(p) else {
            let m = if vm.as_tuple(a[1]).is_some() {
                format!(
                    "tuple for {name} must only contain str, not {}",
                    vm.class_name(p)
                )
            } else {
                format!(
                    "{name} first arg must be str or a tuple of str, not {}",
                    vm.class_name(p)
                )
            };
            return Err(vm.type_error(&m));
        };
        if w.clone()
            .is_some_and(|w| has_affix(h.slice(w), vm.text(p), end))
        {
            return Ok(vm.true_);
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

/// A `str` argument of a named method.
pub(crate) fn str_arg(vm: &mut Vm, v: Value, what: &str) -> R {
    match vm.as_str(v) {
        Some(s) => Ok(s),
        None => {
            let name = if v == vm.none {
                "None".into()
            } else {
                vm.class_name(v)
            };
            let m = format!("{what} must be str, not {name}");
            Err(vm.type_error(&m))
        }
    }
}

/// A count argument of which negative ones mean "no limit".
pub(crate) fn limit(vm: &mut Vm, v: Value) -> R<usize> {
    if v.is_null() {
        return Ok(usize::MAX);
    }
    let class = vm.class_of(v);
    if !vm.is_int(v) && vm.lookup(class, vm.names.index).is_null() {
        let m = format!(
            "'{}' object cannot be interpreted as an integer",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let n = vm.index_i64(v, false)?;
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

fn replace(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    let old = str_arg(vm, a[1], "replace() argument 1")?;
    let new = str_arg(vm, a[2], "replace() argument 2")?;
    let max = limit(vm, a[3])?;
    let (h, o, n) = (vm.text(s), vm.text(old), vm.text(new));
    if h.len() < o.len() {
        return Ok(s);
    }
    let at = aligned!(h, o, |x, y| lib::positions(x, y, max), Vec::new());
    if at.is_empty() {
        return Ok(s);
    }
    let mut out = TextBuf::new();
    let mut from = 0;
    for i in at {
        out.push_text(h.slice(from..i));
        out.push_text(n);
        from = i + o.len();
    }
    out.push_text(h.slice(from..h.len()));
    Ok(out.finish(vm))
}

fn split_with(vm: &mut Vm, a: &[Value], right: bool) -> R {
    let s = this(vm, a[0]);
    let max = limit(vm, a[2])?;
    let t = vm.text(s);
    if a[1].is_null() || a[1] == vm.none {
        let space = |i: usize| unicode::is_space(t.at(i));
        let ranges = match (t, right) {
            (Text::One(b), false) if b.is_ascii() => {
                lib::split_space(b.len(), max, |i| matches!(b[i], 9..=13 | 28..=32))
            }
            (_, false) => lib::split_space(t.len(), max, space),
            (_, true) => lib::rsplit_space(t.len(), max, space),
        };
        return Ok(parts(vm, s, ranges));
    }
    let Some(sep) = vm.as_str(a[1]) else {
        let m = format!("must be str or None, not {}", vm.class_name(a[1]));
        return Err(vm.type_error(&m));
    };
    let n = vm.text(sep);
    if n.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let at = if right {
        let mut at = aligned!(t, n, |x, y| lib::rpositions(x, y, max), Vec::new());
        at.reverse();
        at
    } else {
        aligned!(t, n, |x, y| lib::positions(x, y, max), Vec::new())
    };
    Ok(parts(vm, s, lib::between(t.len(), &at, n.len())))
}

fn split(vm: &mut Vm, a: &[Value]) -> R {
    split_with(vm, a, false)
}

fn rsplit(vm: &mut Vm, a: &[Value]) -> R {
    split_with(vm, a, true)
}

fn splitlines(vm: &mut Vm, a: &[Value]) -> R {
    let keep = a[1].is_some() && vm.truth(a[1])?;
    let s = this(vm, a[0]);
    let t = vm.text(s);
    let ranges = lib::split_lines(t.len(), keep, |i| t.at(i), unicode::is_line_break);
    Ok(parts(vm, s, ranges))
}

fn partition_at(vm: &mut Vm, a: &[Value], right: bool) -> R {
    let sep = needle(vm, a[1])?;
    let s = this(vm, a[0]);
    let (h, n) = (vm.text(s), vm.text(sep));
    if n.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let at = if right {
        aligned!(h, n, |x, y| lib::rfind(x, y), None)
    } else {
        find_text(h, n)
    };
    let e = vm.empty_str;
    let items = match at {
        Some(i) => [part(vm, s, 0..i), sep, part(vm, s, i + n.len()..h.len())],
        None if right => [e, e, s],
        None => [s, e, e],
    };
    Ok(vm.new_tuple(&items))
}

fn partition(vm: &mut Vm, a: &[Value]) -> R {
    partition_at(vm, a, false)
}

fn rpartition(vm: &mut Vm, a: &[Value]) -> R {
    partition_at(vm, a, true)
}

fn join(vm: &mut Vm, a: &[Value]) -> R {
    let sep = this(vm, a[0]);
    let list = if vm.is_list(a[1]) {
        // A copy: a subclass may change it meanwhile, and exact strings go in.
        vm.new_list(vm.list_items(a[1]))
    } else {
        let it = vm.get_iter(a[1]);
        let te = vm.types.type_error;
        let Some(it) = vm.catch(it, te)? else {
            return Err(vm.type_error("can only join an iterable"));
        };
        vm.list_from_iterable(it)?
    };
    let n = vm.list_len(list);
    for i in 0..n {
        let v = vm.list_get(list, i);
        match vm.as_str(v) {
            Some(s) if s == v => {}
            Some(s) if n > 1 => vm.list_put(list, i, s),
            Some(_) => return vm.str(v),
            None => {
                let m = format!(
                    "sequence item {i}: expected str instance, {} found",
                    vm.class_name(v)
                );
                return Err(vm.type_error(&m));
            }
        }
    }
    if n == 0 {
        return Ok(vm.empty_str);
    }
    if vm.text(sep).is_empty() || n == 1 {
        return Ok(vm.str_join(vm.list_items(list)));
    }
    let all = vm.new_list_with_capacity(2 * n);
    for i in 0..n {
        if i > 0 {
            vm.list_append(all, sep);
        }
        let v = vm.list_get(list, i);
        vm.list_append(all, v);
    }
    Ok(vm.str_join(vm.list_items(all)))
}

fn strip_with(vm: &mut Vm, a: &[Value], name: &str, left: bool, right: bool) -> R {
    let s = this(vm, a[0]);
    let t = vm.text(s);
    if a[1].is_null() || a[1] == vm.none {
        let r = lib::strip(t.len(), left, right, |i| unicode::is_space(t.at(i)));
        return Ok(part(vm, s, r));
    }
    let Some(chars) = vm.as_str(a[1]) else {
        return Err(vm.type_error(&format!("{name} arg must be None or str")));
    };
    let chars = vm.text(chars);
    let r = lib::strip(t.len(), left, right, |i| {
        let c = t.at(i);
        chars.iter().any(|x| x == c)
    });
    Ok(part(vm, s, r))
}

fn strip(vm: &mut Vm, a: &[Value]) -> R {
    strip_with(vm, a, "strip", true, true)
}

fn lstrip(vm: &mut Vm, a: &[Value]) -> R {
    strip_with(vm, a, "lstrip", true, false)
}

fn rstrip(vm: &mut Vm, a: &[Value]) -> R {
    strip_with(vm, a, "rstrip", false, true)
}

fn removeprefix(vm: &mut Vm, a: &[Value]) -> R {
    let p = str_arg(vm, a[1], "removeprefix() argument")?;
    let s = this(vm, a[0]);
    let (t, p) = (vm.text(s), vm.text(p));
    if has_affix(t, p, false) {
        return Ok(part(vm, s, p.len()..t.len()));
    }
    Ok(s)
}

fn removesuffix(vm: &mut Vm, a: &[Value]) -> R {
    let p = str_arg(vm, a[1], "removesuffix() argument")?;
    let s = this(vm, a[0]);
    let (t, p) = (vm.text(s), vm.text(p));
    if has_affix(t, p, true) {
        return Ok(part(vm, s, 0..t.len() - p.len()));
    }
    Ok(s)
}

/// Width and fill character of the justifying methods.
fn justify_args(vm: &mut Vm, a: &[Value]) -> R<(usize, u32)> {
    let fill = if a[2].is_null() {
        0x20
    } else {
        let Some(f) = vm.as_str(a[2]) else {
            let m = format!(
                "The fill character must be a unicode character, not {}",
                vm.class_name(a[2])
            );
            return Err(vm.type_error(&m));
        };
        let f = vm.text(f);
        if f.len() != 1 {
            return Err(vm.type_error("The fill character must be exactly one character long"));
        }
        f.at(0)
    };
    let width = vm.index_i64(a[1], false)?;
    Ok((width.max(0) as usize, fill))
}

fn padded(vm: &mut Vm, s: Value, left: usize, right: usize, fill: u32) -> R {
    if left + right == 0 {
        return Ok(s);
    }
    vm.room_for(left.saturating_add(right))?;
    let mut out = TextBuf::new();
    out.fill(fill, left);
    out.push_text(vm.text(s));
    out.fill(fill, right);
    Ok(out.finish(vm))
}

fn ljust(vm: &mut Vm, a: &[Value]) -> R {
    let (width, fill) = justify_args(vm, a)?;
    let s = this(vm, a[0]);
    let n = width.saturating_sub(vm.text(s).len());
    padded(vm, s, 0, n, fill)
}

fn rjust(vm: &mut Vm, a: &[Value]) -> R {
    let (width, fill) = justify_args(vm, a)?;
    let s = this(vm, a[0]);
    let n = width.saturating_sub(vm.text(s).len());
    padded(vm, s, n, 0, fill)
}

fn center(vm: &mut Vm, a: &[Value]) -> R {
    let (width, fill) = justify_args(vm, a)?;
    let s = this(vm, a[0]);
    let n = width.saturating_sub(vm.text(s).len());
    let left = n / 2 + (n & width & 1);
    padded(vm, s, left, n - left, fill)
}

fn zfill(vm: &mut Vm, a: &[Value]) -> R {
    let width = vm.index_i64(a[1], false)?.max(0) as usize;
    let s = this(vm, a[0]);
    let t = vm.text(s);
    let n = width.saturating_sub(t.len());
    if n == 0 {
        return Ok(s);
    }
    vm.room_for(n)?;
    let sign = usize::from(!t.is_empty() && matches!(t.at(0), 0x2B | 0x2D));
    let mut out = TextBuf::new();
    out.push_text(t.slice(0..sign));
    out.fill(0x30, n);
    out.push_text(t.slice(sign..t.len()));
    Ok(out.finish(vm))
}

fn expandtabs(vm: &mut Vm, a: &[Value]) -> R {
    let tab = if a[1].is_null() {
        8
    } else {
        vm.index_i64(a[1], false)?.max(0) as usize
    };
    let s = this(vm, a[0]);
    let mut out = TextBuf::new();
    let mut column = 0;
    for c in vm.text(s).iter() {
        match c {
            9 => {
                if tab > 0 {
                    let n = tab - column % tab;
                    out.fill(0x20, n);
                    column += n;
                }
            }
            c => {
                column = if matches!(c, 10 | 13) { 0 } else { column + 1 };
                out.push(c);
            }
        }
    }
    Ok(out.finish(vm))
}

fn translate(vm: &mut Vm, a: &[Value]) -> R {
    let s = this(vm, a[0]);
    let mut out = TextBuf::new();
    for c in vm.text(s).iter() {
        let r = vm.getitem(a[1], Value::small(c as i32));
        let lookup = vm.types.lookup_error;
        let Some(v) = vm.catch(r, lookup)? else {
            out.push(c);
            continue;
        };
        if v == vm.none {
            continue;
        }
        if let Some(s) = vm.as_str(v) {
            out.push_text(vm.text(s));
        } else if vm.is_int(v) {
            match vm.int_to_i64(v) {
                Some(i @ 0..=0x10_FFFF) => out.push(i as u32),
                _ => {
                    return Err(vm.value_error("character mapping must be in range(0x110000)"));
                }
            }
        } else {
            return Err(vm.type_error("character mapping must return integer, None or str"));
        }
    }
    Ok(out.finish(vm))
}

fn maketrans(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.new_dict();
    if a[1].is_null() {
        if !vm.is_dict(a[0]) {
            return Err(
                vm.type_error("if you give only one argument to maketrans it must be a dict")
            );
        }
        let mut pos = 0;
        while let Some((k, v)) = vm.dict_next(a[0], &mut pos) {
            let key = if let Some(s) = vm.as_str(k) {
                let t = vm.text(s);
                if t.len() != 1 {
                    return Err(
                        vm.value_error("string keys in translate table must be of length 1")
                    );
                }
                Value::small(t.at(0) as i32)
            } else if vm.is_int(k) {
                k
            } else {
                return Err(vm.type_error("keys in translate table must be strings or integers"));
            };
            vm.dict_set(d, key, v)?;
        }
        return Ok(d);
    }
    let x = match vm.as_str(a[0]) {
        Some(x) => x,
        None => {
            return Err(vm.type_error(
                "first maketrans argument must be a string if there is a second argument",
            ));
        }
    };
    let y = str_arg(vm, a[1], "maketrans() argument 2")?;
    let (x, y) = (vm.text(x), vm.text(y));
    if x.len() != y.len() {
        return Err(vm.value_error("the first two maketrans arguments must have equal length"));
    }
    for (p, q) in x.iter().zip(y.iter()) {
        vm.dict_set(d, Value::small(p as i32), Value::small(q as i32))?;
    }
    if a[2].is_some() {
        let z = str_arg(vm, a[2], "maketrans() argument 3")?;
        for p in vm.text(z).iter() {
            let none = vm.none;
            vm.dict_set(d, Value::small(p as i32), none)?;
        }
    }
    Ok(d)
}

fn encode(vm: &mut Vm, a: &[Value]) -> R {
    let encoding = if a[1].is_null() {
        "utf-8".into()
    } else {
        let e = str_arg(vm, a[1], "encode() argument 'encoding'")?;
        vm.str_to_string(e)
    };
    let errors = if a[2].is_null() {
        "strict".into()
    } else {
        let e = str_arg(vm, a[2], "encode() argument 'errors'")?;
        vm.str_to_string(e)
    };
    let s = this(vm, a[0]);
    let b = crate::codecs::encode(vm, s, &encoding, &errors)?;
    Ok(vm.new_bytes(&b))
}

fn format(vm: &mut Vm, a: &[Value]) -> R {
    let spec = str_arg(vm, a[1], "__format__() argument")?;
    let s = this(vm, a[0]);
    if vm.text(spec).is_empty() {
        return vm.str(a[0]);
    }
    crate::format_spec::format_str(vm, s, spec)
}
