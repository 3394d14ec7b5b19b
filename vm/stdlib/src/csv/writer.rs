//! `writer`: rows to lines.

use super::dialect::{Options, from_arguments, line_terminator};
use super::{Quoting, error};
use crate::{set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::object_layout;
use pyrite_objects::text::Text;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `writer`: `write` is the file's bound method.
    Writer [Library, VALUES] { write: Value, dialect: Value }
}

fn writer(v: Value) -> Gc<Writer> {
    Gc::from_value(v)
}

/// `writer(fileobj, dialect='excel', **fmtparams)`
pub(super) fn new(vm: &mut Vm, a: &[Value]) -> R {
    let dialect = from_arguments(vm, a[1], a[2])?;
    let name = vm.names.write;
    let write = vm.getattr_opt(a[0], name)?;
    if write.is_null() || !crate::args::is_callable(vm, write) {
        return Err(vm.type_error("argument 1 must have a \"write\" method"));
    }
    let class = Gc::from_value(vm.statics[slots::CSV_WRITER]);
    let v = vm.new_instance(class);
    writer(v).write.set(write);
    writer(v).dialect.set(dialect);
    vm.write_barrier(v);
    Ok(v)
}

static METHODS: [NativeDef; 2] = [
    def("writerow", "($self, row, /)", effects::ANY, |vm, a| {
        row(vm, a[0], a[1])
    }),
    def("writerows", "($self, rows, /)", effects::ANY, |vm, a| {
        let it = vm.get_iter(a[1])?;
        while let Some(r) = vm.iter_next(it)? {
            row(vm, a[0], r)?;
        }
        Ok(vm.none)
    }),
];

/// Appends a field. `quoted`: in any case; the field itself may demand it, too.
fn append(
    vm: &mut Vm,
    out: &mut Vec<u32>,
    o: &Options,
    terminator: Text<'_>,
    field: Option<Text<'_>>,
    mut quoted: bool,
) -> R<()> {
    let mut body = Vec::new();
    for c in field.iter().flat_map(|t| t.iter()) {
        let special = c == o.delimiter
            || Some(c) == o.escapechar
            || Some(c) == o.quotechar
            || terminator.iter().any(|t| t == c);
        if special {
            let mut escape = o.quoting == Quoting::None;
            if !escape {
                if Some(c) == o.quotechar {
                    if o.doublequote {
                        body.push(c);
                    } else {
                        escape = true;
                    }
                } else if Some(c) == o.escapechar {
                    escape = true;
                }
                if !escape {
                    quoted = true;
                }
            }
            if escape {
                let Some(e) = o.escapechar else {
                    let m = "need to escape, but no escapechar set";
                    return Err(error(vm, m));
                };
                body.push(e);
            }
        }
        body.push(c);
    }
    let quote = o.quotechar.filter(|_| quoted);
    out.extend(quote);
    out.extend(body);
    out.extend(quote);
    Ok(())
}

fn row(vm: &mut Vm, v: Value, fields: Value) -> R {
    let it = match vm.get_iter(fields) {
        Ok(it) => it,
        Err(e) => {
            if vm.exc_is(vm.types.type_error) {
                vm.exc = Value::NULL;
                let m = format!("iterable expected, not {}", vm.class_name(fields));
                return Err(error(vm, &m));
            }
            return Err(e);
        }
    };
    let dialect = writer(v).dialect.get();
    let o = Options::of(vm, dialect);
    let terminator = line_terminator(dialect);
    let end = vm.text(terminator);
    let mut out = Vec::new();
    let mut count = 0;
    while let Some(field) = vm.iter_next(it)? {
        let quoted = match o.quoting {
            Quoting::All => true,
            Quoting::Nonnumeric => !is_number(vm, field),
            Quoting::Minimal | Quoting::None => false,
        };
        if count > 0 {
            out.push(o.delimiter);
        }
        count += 1;
        if field == vm.none {
            append(vm, &mut out, &o, end, None, quoted)?;
            continue;
        }
        let text = match vm.as_str(field) {
            Some(s) => s,
            None => {
                let s = vm.str(field)?;
                vm.as_str(s).unwrap_or(s)
            }
        };
        append(vm, &mut out, &o, end, Some(vm.text(text)), quoted)?;
    }
    if count > 0 && out.is_empty() {
        if o.quoting == Quoting::None {
            return Err(error(vm, "single empty field record must be quoted"));
        }
        append(vm, &mut out, &o, end, None, true)?;
    }
    out.extend(end.iter());
    let line = vm.new_str_points(&out);
    vm.call(writer(v).write.get(), &[line])
}

fn is_number(vm: &mut Vm, v: Value) -> bool {
    let n = vm.names;
    vm.as_complex(v).is_some()
        || [n.index, n.int, n.float]
            .iter()
            .any(|&name| vm.lookup_on(v, name).is_some())
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = vm.native_type(&TypeDef {
        module: "_csv",
        methods: &METHODS,
        ..TypeDef::of::<Writer>("writer", Layout::Library)
    });
    let key = vm.intern("dialect");
    let member = vm.new_member(key, t, Writer::WORDS - 1, true);
    vm.type_set(t, "dialect", member);
    vm.statics[slots::CSV_WRITER] = t.value();
    set(vm, m, "Writer", t.value());
}
