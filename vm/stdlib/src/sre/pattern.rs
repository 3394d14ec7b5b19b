//! `re.Pattern`, what it can do with a subject, and the scanner behind `finditer`.

use super::subject::Search;
use super::{ANY, matches, new_class, program};
use crate::slots;
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyCallIter, PyType, PyValueSub, Raw};
use pyrite_objects::native::{GetSetDef, NativeDef, class_def, def, effects, getter};
use pyrite_objects::vm::{R, Vm};

/// Words of a pattern.
const PATTERN: usize = 1;
const FLAGS: usize = 2;
pub(super) const GROUPS: usize = 3;
/// Dict of group numbers by name.
pub(super) const GROUP_INDEX: usize = 4;
/// Tuple of group names by number.
pub(super) const INDEX_GROUP: usize = 5;
/// The translated program, a raw object.
const PROGRAM: usize = 6;
const WORDS: usize = 7;

/// Words of a scanner.
const S_PATTERN: usize = 1;
const S_STRING: usize = 2;
const S_POS: usize = 3;
const S_ENDPOS: usize = 4;
/// Where to go on; `None` once nothing was found.
const S_START: usize = 5;
/// True if the next match may not be empty at `S_START`.
const S_ADVANCE: usize = 6;
const S_WORDS: usize = 7;

const WHERE: &str = "($self, /, string, pos=0, endpos=sys.maxsize)";

static METHODS: [NativeDef; 16] = [
    def("match", WHERE, ANY, |vm, a| one(vm, a, How::Match))
        .doc("Matches zero or more characters at the beginning of the string."),
    def("fullmatch", WHERE, ANY, |vm, a| one(vm, a, How::Full))
        .doc("Matches against all of the string."),
    def("search", WHERE, ANY, |vm, a| one(vm, a, How::Search))
        .doc("Scan through string looking for a match."),
    def("sub", "($self, /, repl, string, count=0)", ANY, |vm, a| {
        Ok(substitute(vm, a)?.0)
    })
    .doc("Return the string with the leftmost non-overlapping matches replaced."),
    def("subn", "($self, /, repl, string, count=0)", ANY, |vm, a| {
        let (s, n) = substitute(vm, a)?;
        Ok(vm.new_tuple(&[s, Value::int_unchecked(n as i64)]))
    })
    .doc("Return the tuple of the string as by sub() and the number of replacements."),
    def("findall", WHERE, ANY, findall)
        .doc("Return a list of all non-overlapping matches of pattern in string."),
    def("split", "($self, /, string, maxsplit=0)", ANY, split)
        .doc("Split string by the occurrences of pattern."),
    def("finditer", WHERE, ANY, finditer)
        .doc("Return an iterator over all non-overlapping matches for the pattern."),
    def("scanner", WHERE, ANY, scanner),
    def("__copy__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def("__deepcopy__", "($self, memo, /)", effects::PURE, |_, a| {
        Ok(a[0])
    }),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        |vm, a| pyrite_objects::misc::generic_alias(vm, a[0], a[1]),
    )
    .doc("See PEP 585"),
    def("__repr__", "($self, /)", ANY, repr),
    def("__hash__", "($self, /)", ANY, |vm, a| {
        let h = vm.hash(vm.word(a[0], PATTERN))?;
        let code = vm.word(a[0], PROGRAM);
        let code = vm.hash_bytes(raw_bytes(code));
        let flags = vm.word(a[0], FLAGS).int_value();
        let h = h ^ code ^ flags ^ vm.word(a[0], GROUPS).int_value();
        Ok(vm.new_int(if h == -1 { -2 } else { h }))
    }),
    def("__eq__", "($self, value, /)", ANY, |vm, a| {
        equal(vm, CmpOp::Eq, a)
    }),
    def("__ne__", "($self, value, /)", ANY, |vm, a| {
        equal(vm, CmpOp::Ne, a)
    }),
];

static GETSET: [GetSetDef; 4] = [
    getter("pattern", |vm, v| Ok(vm.word(v, PATTERN))),
    getter("flags", |vm, v| Ok(vm.word(v, FLAGS))),
    getter("groups", |vm, v| Ok(vm.word(v, GROUPS))),
    getter("groupindex", |vm, v| {
        let d = vm.word(v, GROUP_INDEX);
        let p = vm.new_instance(vm.types.mappingproxy);
        Gc::<PyValueSub>::from_value(p).inner.set(d);
        vm.write_barrier(p);
        Ok(p)
    }),
];

static SCANNER: [NativeDef; 2] = [
    def("match", "($self, /)", ANY, |vm, a| {
        scan(vm, a[0], How::Match)
    }),
    def("search", "($self, /)", ANY, |vm, a| {
        scan(vm, a[0], How::Search)
    }),
];

static SCANNER_GETSET: [GetSetDef; 1] = [getter("pattern", |vm, v| Ok(vm.word(v, S_PATTERN)))];

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Match,
    Full,
    Search,
}

/// Makes `re.Pattern`.
pub(super) fn class(vm: &mut Vm) -> Gc<PyType> {
    let doc = "Compiled regular expression object.";
    new_class(vm, "re", "Pattern", doc, WORDS, &METHODS, &GETSET)
}

/// Makes the scanners' class.
pub(super) fn scanner_class(vm: &mut Vm) -> Gc<PyType> {
    let name = "SRE_Scanner";
    new_class(vm, "_sre", name, "", S_WORDS, &SCANNER, &SCANNER_GETSET)
}

fn raw_bytes(raw: Value) -> &'static [u8] {
    let r = Gc::<Raw>::from_value(raw);
    // SAFETY: `len` bytes follow; the object is not written to once made, and
    // callers hold the pattern that holds it.
    unsafe { std::slice::from_raw_parts(r.bytes(), r.len.get()) }
}

/// The program of a pattern; valid while the caller's locals hold the pattern.
pub(super) fn program(vm: &mut Vm, pattern: Value) -> &'static [u32] {
    let raw = vm.word(pattern, PROGRAM);
    // The program is reached through the pattern alone while it runs, so it must
    // stay where it is.
    vm.heap_pin(raw);
    let b = raw_bytes(raw);
    // SAFETY: the bytes were written as words and lie at a multiple of 8.
    unsafe { std::slice::from_raw_parts(b.as_ptr().cast(), b.len() / 4) }
}

/// Whether a pattern is for bytes; `None`: for either.
pub(super) fn is_bytes(vm: &Vm, pattern: Value) -> Option<bool> {
    let p = vm.word(pattern, PATTERN);
    (p != vm.none).then(|| !vm.is_str(p))
}

/// `_sre.compile`
pub(super) fn compile(vm: &mut Vm, a: &[Value]) -> R {
    let flags = crate::fs::c_int(vm, a[1])?;
    if !vm.is_list(a[2]) {
        let m = format!(
            "compile() argument 'code' must be list, not {}",
            vm.class_name(a[2])
        );
        return Err(vm.type_error(&m));
    }
    let groups = crate::args::ssize(vm, a[3])?;
    if !vm.is_dict(a[4]) {
        let m = format!(
            "compile() argument 'groupindex' must be dict, not {}",
            vm.class_name(a[4])
        );
        return Err(vm.type_error(&m));
    }
    let Some(names) = vm.as_tuple(a[5]) else {
        let m = format!(
            "compile() argument 'indexgroup' must be tuple, not {}",
            vm.class_name(a[5])
        );
        return Err(vm.type_error(&m));
    };
    let pattern = a[0];
    if pattern != vm.none {
        super::subject::content(vm, pattern)?;
    }
    let mut code = Vec::with_capacity(vm.list_len(a[2]));
    for i in 0..vm.list_len(a[2]) {
        let w = vm.list_get(a[2], i);
        match vm.int_to_i64(w).map(u32::try_from) {
            Some(Ok(w)) => code.push(w),
            _ if !vm.is_int(w) => return Err(vm.type_error("an integer is required")),
            _ => return Err(vm.overflow_error("regular expression code size limit exceeded")),
        }
    }
    let groups = u32::try_from(groups).unwrap_or(u32::MAX);
    let Ok(words) = program::translate(&code, groups) else {
        return Err(vm.runtime_error("invalid SRE code"));
    };
    let raw = vm.new_raw(words.len() * 4);
    // SAFETY: room for that many words was made.
    unsafe { std::ptr::copy_nonoverlapping(words.as_ptr(), raw.bytes().cast(), words.len()) };
    let raw = raw.value();
    let p = vm.new_instance(Gc::from_value(vm.statics[slots::RE_PATTERN]));
    for (i, v) in [
        (PATTERN, pattern),
        (FLAGS, Value::small(flags)),
        (GROUPS, Value::int_unchecked(groups.into())),
        (GROUP_INDEX, a[4]),
        (INDEX_GROUP, names),
        (PROGRAM, raw),
    ] {
        vm.store_word(p, i, v);
    }
    Ok(p)
}

fn one(vm: &mut Vm, a: &[Value], how: How) -> R {
    let mut s = Search::new(vm, a[0], a[1], a[2], a[3])?;
    let found = run(vm, &mut s, how)?;
    matches::of(vm, a[0], &s, found)
}

fn run(vm: &mut Vm, s: &mut Search, how: How) -> R<bool> {
    match how {
        How::Search => s.search(vm),
        How::Match => s.match_here(vm, false),
        How::Full => s.match_here(vm, true),
    }
}

fn groups(vm: &Vm, pattern: Value) -> usize {
    vm.word(pattern, GROUPS).int_value() as usize
}

fn findall(vm: &mut Vm, a: &[Value]) -> R {
    let n = groups(vm, a[0]);
    let mut s = Search::new(vm, a[0], a[1], a[2], a[3])?;
    let list = vm.new_list(&[]);
    while s.search(vm)? {
        let item = match n {
            0 => s.slice(vm, s.start(), s.end()),
            1 => {
                let (x, y) = s.group(1).unwrap_or((0, 0));
                s.slice(vm, x, y)
            }
            n => {
                let l = vm.new_list_with_capacity(n);
                for i in 1..=n {
                    let (x, y) = s.group(i).unwrap_or((0, 0));
                    let part = s.slice(vm, x, y);
                    vm.list_append(l, part);
                }
                vm.list_to_tuple(l)
            }
        };
        vm.list_append(list, item);
        s.advance();
    }
    Ok(list)
}

fn split(vm: &mut Vm, a: &[Value]) -> R {
    let max = if a[2].is_null() {
        0
    } else {
        crate::args::ssize(vm, a[2])?
    };
    let n = groups(vm, a[0]);
    let mut s = Search::new(vm, a[0], a[1], Value::NULL, Value::NULL)?;
    let list = vm.new_list(&[]);
    let (mut done, mut last) = (0, 0);
    while (max == 0 || done < max) && s.search(vm)? {
        let part = s.slice(vm, last, s.start());
        vm.list_append(list, part);
        for i in 1..=n {
            let part = match s.group(i) {
                Some((x, y)) => s.slice(vm, x, y),
                None => vm.none,
            };
            vm.list_append(list, part);
        }
        done += 1;
        last = s.end();
        s.advance();
    }
    let rest = s.slice(vm, last, s.endpos);
    vm.list_append(list, rest);
    Ok(list)
}

/// True if a template has no backslash, so that it stands for itself.
fn is_literal(vm: &mut Vm, template: Value) -> bool {
    if let Some(t) = vm.as_str(template) {
        return vm.text(t).iter().all(|c| c != u32::from(b'\\'));
    }
    vm.buffer(template).is_some_and(|b| !b.contains(&b'\\'))
}

fn substitute(vm: &mut Vm, a: &[Value]) -> R<(Value, usize)> {
    let (pattern, mut filter, string) = (a[0], a[1], a[2]);
    let count = if a[3].is_null() {
        0
    } else {
        crate::args::ssize(vm, a[3])?
    };
    let callable = |vm: &mut Vm, v: Value| {
        let class = vm.class_of(v);
        let name = vm.names.call;
        vm.lookup(class, name).is_some()
    };
    let mut calls = callable(vm, filter);
    if !calls && !is_literal(vm, filter) {
        let re = vm.import_module("re")?;
        let f = vm.getattr_str(re, "_subx")?;
        filter = vm.call(f, &[pattern, filter])?;
        calls = callable(vm, filter);
    }
    let mut s = Search::new(vm, pattern, string, Value::NULL, Value::NULL)?;
    let parts = vm.new_list(&[]);
    let (mut done, mut last) = (0, 0);
    while (count == 0 || done < count) && s.search(vm)? {
        let (from, to) = (s.start(), s.end());
        if last < from {
            let part = s.slice(vm, last, from);
            vm.list_append(parts, part);
        }
        let item = if calls {
            let m = matches::of(vm, pattern, &s, true)?;
            vm.call(filter, &[m])?
        } else {
            filter
        };
        if item != vm.none {
            vm.list_append(parts, item);
        }
        last = to;
        done += 1;
        s.advance();
    }
    if last < s.endpos {
        let part = s.slice(vm, last, s.endpos);
        vm.list_append(parts, part);
    }
    let empty = s.slice(vm, 0, 0);
    let joined = if vm.list_len(parts) == 0 {
        empty
    } else {
        let join = vm.intern("join");
        vm.call_method(empty, join, &[parts])?
    };
    Ok((joined, done as usize))
}

fn scanner(vm: &mut Vm, a: &[Value]) -> R {
    let s = Search::new(vm, a[0], a[1], a[2], a[3])?;
    let v = vm.new_instance(Gc::from_value(vm.statics[slots::RE_SCANNER]));
    let at = |i: usize| Value::int_unchecked(i as i64);
    let no = vm.false_;
    for (i, x) in [
        (S_PATTERN, a[0]),
        (S_STRING, a[1]),
        (S_POS, at(s.pos)),
        (S_ENDPOS, at(s.endpos)),
        (S_START, at(s.pos)),
        (S_ADVANCE, no),
    ] {
        vm.store_word(v, i, x);
    }
    Ok(v)
}

fn scan(vm: &mut Vm, v: Value, how: How) -> R {
    let start = vm.word(v, S_START);
    if start == vm.none {
        return Ok(vm.none);
    }
    let (pattern, string) = (vm.word(v, S_PATTERN), vm.word(v, S_STRING));
    let (pos, endpos) = (vm.word(v, S_POS), vm.word(v, S_ENDPOS));
    let mut s = Search::new(vm, pattern, string, pos, endpos)?;
    let advance = vm.word(v, S_ADVANCE) == vm.true_;
    s.set_start(start.int_value() as usize, advance);
    let found = run(vm, &mut s, how)?;
    let (next, advance) = if found {
        let next = Value::int_unchecked(s.end() as i64);
        (next, vm.bool(s.start() == s.end()))
    } else {
        (vm.none, vm.false_)
    };
    vm.store_word(v, S_START, next);
    vm.store_word(v, S_ADVANCE, advance);
    matches::of(vm, pattern, &s, found)
}

fn finditer(vm: &mut Vm, a: &[Value]) -> R {
    let v = scanner(vm, a)?;
    let search = vm.getattr_str(v, "search")?;
    let it = vm.new_instance(vm.types.call_iter);
    let none = vm.none;
    let i = Gc::<PyCallIter>::from_value(it);
    i.callable.set(search);
    i.sentinel.set(none);
    vm.write_barrier(it);
    Ok(it)
}

const FLAG_NAMES: [&str; 9] = [
    "re.TEMPLATE",
    "re.IGNORECASE",
    "re.LOCALE",
    "re.MULTILINE",
    "re.DOTALL",
    "re.UNICODE",
    "re.VERBOSE",
    "re.DEBUG",
    "re.ASCII",
];

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let pattern = vm.word(a[0], PATTERN);
    let mut flags = vm.word(a[0], FLAGS).int_value();
    let (locale, unicode, ascii) = (4, 32, 256);
    if vm.is_str(pattern) && flags & (locale | unicode | ascii) == unicode {
        flags &= !unicode;
    }
    let mut names = Vec::new();
    for (i, name) in FLAG_NAMES.iter().enumerate() {
        if flags >> i & 1 != 0 {
            names.push((*name).to_owned());
            flags &= !(1 << i);
        }
    }
    if flags != 0 {
        names.push(format!("{flags:#x}"));
    }
    let r = vm.repr(pattern)?;
    let mut out = pyrite_objects::textbuf::TextBuf::new();
    out.push_str("re.compile(");
    let t = vm.text(r);
    out.push_text(t.slice(0..t.len().min(200)));
    if !names.is_empty() {
        out.push_str(", ");
        out.push_str(&names.join("|"));
    }
    out.push_str(")");
    Ok(out.finish(vm))
}

fn equal(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let class = Gc::from_value(vm.statics[slots::RE_PATTERN]);
    if !vm.is_instance(a[1], class) {
        return Ok(vm.not_implemented);
    }
    let same = a[0] == a[1]
        || vm.word(a[0], FLAGS) == vm.word(a[1], FLAGS)
            && is_bytes(vm, a[0]) == is_bytes(vm, a[1])
            && raw_bytes(vm.word(a[0], PROGRAM)) == raw_bytes(vm.word(a[1], PROGRAM))
            && {
                let (x, y) = (vm.word(a[0], PATTERN), vm.word(a[1], PATTERN));
                vm.eq(x, y)?
            };
    Ok(vm.bool(same == (op == CmpOp::Eq)))
}
