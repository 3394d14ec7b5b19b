//! `re.Match`: what a search found.

use super::pattern::{GROUP_INDEX, GROUPS, INDEX_GROUP};
use super::subject::{self, Search};
use super::{ANY, new_class};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyType, Raw};
use pyrite_objects::native::{GetSetDef, NativeDef, class_def, def, effects, getter};
use pyrite_objects::vm::{R, Vm};

const STRING: usize = 1;
const PATTERN: usize = 2;
const POS: usize = 3;
const ENDPOS: usize = 4;
/// Number of the group closed last, 0 for none.
const LAST: usize = 5;
/// Raw object of start and end of each group, -1 where it did not match.
const SPANS: usize = 6;
const WORDS: usize = 7;

static METHODS: [NativeDef; 12] = [
    def("group", "($self, /, *args)", ANY, |vm, a| {
        let n = vm.tuple_len(a[1]);
        match n {
            0 => part(vm, a[0], 0, Value::NULL),
            1 => item(vm, a[0], vm.tuple_get(a[1], 0)),
            _ => {
                let l = vm.new_list_with_capacity(n);
                for i in 0..n {
                    let v = item(vm, a[0], vm.tuple_get(a[1], i))?;
                    vm.list_append(l, v);
                }
                Ok(vm.list_to_tuple(l))
            }
        }
    })
    .doc("group([group1, ...]) -> str or tuple."),
    def("start", "($self, group=0, /)", ANY, |vm, a| {
        let i = number(vm, a[0], a[1])?;
        Ok(Value::int_unchecked(span(vm, a[0], i).0))
    })
    .doc("Return index of the start of the substring matched by group."),
    def("end", "($self, group=0, /)", ANY, |vm, a| {
        let i = number(vm, a[0], a[1])?;
        Ok(Value::int_unchecked(span(vm, a[0], i).1))
    })
    .doc("Return index of the end of the substring matched by group."),
    def("span", "($self, group=0, /)", ANY, |vm, a| {
        let i = number(vm, a[0], a[1])?;
        Ok(span_tuple(vm, a[0], i))
    })
    .doc("For match object m, return the 2-tuple (m.start(group), m.end(group))."),
    def("groups", "($self, /, default=None)", ANY, |vm, a| {
        let n = groups(vm, a[0]);
        let l = vm.new_list_with_capacity(n);
        for i in 1..n {
            let v = part(vm, a[0], i, a[1])?;
            vm.list_append(l, v);
        }
        Ok(vm.list_to_tuple(l))
    })
    .doc("Return a tuple containing all the subgroups of the match, from 1."),
    def("groupdict", "($self, /, default=None)", ANY, |vm, a| {
        let d = vm.new_dict();
        let names = vm.word(vm.word(a[0], PATTERN), GROUP_INDEX);
        let mut at = 0;
        while let Some((name, i)) = vm.dict_next(names, &mut at) {
            let i = number(vm, a[0], i)?;
            let v = part(vm, a[0], i, a[1])?;
            vm.dict_set(d, name, v)?;
        }
        Ok(d)
    })
    .doc("Return a dictionary containing all the named subgroups of the match."),
    def("expand", "($self, /, template)", ANY, |vm, a| {
        let re = vm.import_module("re")?;
        let f = vm.getattr_str(re, "_expand")?;
        let p = vm.word(a[0], PATTERN);
        vm.call(f, &[p, a[0], a[1]])
    })
    .doc("Return the string obtained by doing backslash substitution on template."),
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
    def("__getitem__", "($self, key, /)", ANY, |vm, a| {
        item(vm, a[0], a[1])
    }),
    def("__repr__", "($self, /)", ANY, |vm, a| {
        let (x, y) = span(vm, a[0], 0);
        let found = part(vm, a[0], 0, Value::NULL)?;
        let found = vm.repr(found)?;
        let mut out = pyrite_objects::textbuf::TextBuf::new();
        out.push_str(&format!("<re.Match object; span=({x}, {y}), match="));
        let t = vm.text(found);
        out.push_text(t.slice(0..t.len().min(50)));
        out.push_str(">");
        Ok(out.finish(vm))
    }),
];

static GETSET: [GetSetDef; 7] = [
    getter("string", |vm, v| Ok(vm.word(v, STRING))),
    getter("re", |vm, v| Ok(vm.word(v, PATTERN))),
    getter("pos", |vm, v| Ok(vm.word(v, POS))),
    getter("endpos", |vm, v| Ok(vm.word(v, ENDPOS))),
    getter("lastindex", |vm, v| {
        let i = vm.word(v, LAST);
        Ok(if i.int_value() == 0 { vm.none } else { i })
    }),
    getter("lastgroup", |vm, v| {
        let i = vm.word(v, LAST).int_value() as usize;
        let names = vm.word(vm.word(v, PATTERN), INDEX_GROUP);
        Ok(if i == 0 || i >= vm.tuple_len(names) {
            vm.none
        } else {
            vm.tuple_get(names, i)
        })
    }),
    getter("regs", |vm, v| {
        let n = groups(vm, v);
        let l = vm.new_list_with_capacity(n);
        for i in 0..n {
            let t = span_tuple(vm, v, i);
            vm.list_append(l, t);
        }
        Ok(vm.list_to_tuple(l))
    }),
];

/// Makes `re.Match`.
pub(super) fn class(vm: &mut Vm) -> Gc<PyType> {
    let doc = "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.";
    new_class(vm, "re", "Match", doc, WORDS, &METHODS, &GETSET)
}

/// What a search found, or `None`.
pub(super) fn of(vm: &mut Vm, pattern: Value, s: &Search, found: bool) -> R {
    if !found {
        return Ok(vm.none);
    }
    let n = vm.word(pattern, GROUPS).int_value() as usize + 1;
    let raw = vm.new_raw(n * 16);
    for i in 0..n {
        let (x, y) = s.group(i).map_or((-1, -1), |(x, y)| (x as i64, y as i64));
        // SAFETY: room for `n` pairs was made.
        unsafe {
            let p = raw.bytes().cast::<i64>().add(2 * i);
            p.write(x);
            p.add(1).write(y);
        }
    }
    let raw = raw.value();
    let m = vm.new_instance(Gc::from_value(vm.statics[slots::RE_MATCH]));
    for (i, v) in [
        (STRING, s.string),
        (PATTERN, pattern),
        (POS, Value::int_unchecked(s.pos as i64)),
        (ENDPOS, Value::int_unchecked(s.endpos as i64)),
        (LAST, Value::int_unchecked(s.last_group().into())),
        (SPANS, raw),
    ] {
        vm.store_word(m, i, v);
    }
    Ok(m)
}

/// Groups, the whole match included.
fn groups(vm: &Vm, m: Value) -> usize {
    Gc::<Raw>::from_value(vm.word(m, SPANS)).len.get() / 16
}

fn span(vm: &Vm, m: Value, i: usize) -> (i64, i64) {
    assert!(i < groups(vm, m), "the caller checked the group's number");
    let raw = Gc::<Raw>::from_value(vm.word(m, SPANS));
    // SAFETY: pairs of numbers, as many as there are groups.
    unsafe {
        let p = raw.bytes().cast::<i64>().add(2 * i);
        (*p, *p.add(1))
    }
}

fn span_tuple(vm: &mut Vm, m: Value, i: usize) -> Value {
    let (x, y) = span(vm, m, i);
    vm.new_tuple(&[Value::int_unchecked(x), Value::int_unchecked(y)])
}

/// Number of the group that `v` names (null: 0).
fn number(vm: &mut Vm, m: Value, v: Value) -> R<usize> {
    if v.is_null() {
        return Ok(0);
    }
    let mut i = -1;
    let n = vm.names.index;
    if vm.is_int(v) || vm.lookup_on(v, n).is_some() {
        i = vm.index_i64(v, true)?;
    } else {
        let names = vm.word(vm.word(m, PATTERN), GROUP_INDEX);
        let r = vm.dict_get(names, v);
        let found = match r {
            Ok(f) => f,
            Err(_) => {
                // What cannot be a key names no group.
                vm.exc = Value::NULL;
                Value::NULL
            }
        };
        if let Some(n) = (found.is_some()).then(|| vm.int_to_i64(found)).flatten() {
            i = n;
        }
    }
    match usize::try_from(i) {
        Ok(i) if i < groups(vm, m) => Ok(i),
        _ => Err(vm.index_error("no such group")),
    }
}

fn item(vm: &mut Vm, m: Value, which: Value) -> R {
    let i = number(vm, m, which)?;
    part(vm, m, i, Value::NULL)
}

/// What group `i` matched, else `default` (null: `None`).
fn part(vm: &mut Vm, m: Value, i: usize, default: Value) -> R {
    let (x, y) = span(vm, m, i);
    let string = vm.word(m, STRING);
    if x < 0 || string == vm.none {
        return Ok(if default.is_null() { vm.none } else { default });
    }
    let (content, is_bytes) = subject::content(vm, string)?;
    // A subject that may change may have become shorter.
    let len = if is_bytes {
        vm.bytes(content).len()
    } else {
        vm.text(content).len()
    };
    let (x, y) = ((x as usize).min(len), (y as usize).min(len));
    Ok(subject::slice(vm, content, is_bytes, x, y))
}
