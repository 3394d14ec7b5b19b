//! What programs do with code objects beyond reading them: `replace`, equality,
//! hashing, and the tables that CPython shows as bytes.

use crate::layout::Layout;
use crate::native::{GetSetDef, NativeDef, def, effects, getter};
use crate::vm::{R, Vm};
use pyrite_bytecode::{CodeFlags, CodeUnit, ExceptionEntry, Ins};
use pyrite_machine::Value;
use std::hash::{DefaultHasher, Hash, Hasher};

static METHODS: &[NativeDef] = &[
    def("replace", "($self, /, **changes)", effects::ANY, replace),
    def("__eq__", "($self, value, /)", effects::ANY, |vm, a| {
        if vm.layout_of(a[1]) != Layout::Code {
            return Ok(vm.not_implemented);
        }
        let r = same(vm, a[0], a[1])?;
        Ok(vm.bool(r))
    }),
    def("__hash__", "($self, /)", effects::ANY, |vm, a| {
        let d = vm.code_data(a[0]);
        let mut h = DefaultHasher::new();
        d.unit.name.hash(&mut h);
        d.instrs.hash(&mut h);
        (d.arg_count, d.posonly_count, d.kwonly_count, d.first_line).hash(&mut h);
        Ok(vm.new_int(h.finish() as i64 >> 8))
    }),
];

static FIELDS: &[GetSetDef] = &[
    getter("co_linetable", |vm, c| {
        let d = vm.code_data(c);
        let b = crate::linetable::encode(&d.positions, d.first_line);
        Ok(vm.new_bytes(&b))
    }),
    getter("co_exceptiontable", |vm, c| {
        let mut b = Vec::new();
        for e in &vm.code_data(c).exceptions {
            for n in entry_numbers(e) {
                b.extend_from_slice(&n.to_le_bytes());
            }
        }
        Ok(vm.new_bytes(&b))
    }),
    getter("co_lnotab", |vm, _| Ok(vm.empty_bytes)),
];

/// Gives `code` these attributes.
pub fn install(vm: &mut Vm) {
    let t = vm.types.code;
    vm.add_methods(t, METHODS);
    vm.add_getset(t, FIELDS);
}

fn constants(vm: &mut Vm, code: Value) -> Value {
    let d = vm.code_data(code);
    let l = vm.new_list(&[]);
    for i in 0..d.unit.consts.len() {
        // SAFETY: the code has that many constants.
        let v = unsafe { *d.consts.add(i) };
        vm.list_append(l, v);
    }
    l
}

fn same(vm: &mut Vm, a: Value, b: Value) -> R<bool> {
    if a == b {
        return Ok(true);
    }
    let (d, e) = (vm.code_data(a), vm.code_data(b));
    let (u, w) = (&d.unit, &e.unit);
    let plain = u.name == w.name
        && u.arg_count == w.arg_count
        && u.posonly_count == w.posonly_count
        && u.kwonly_count == w.kwonly_count
        && u.flags == w.flags
        && u.first_line == w.first_line
        && u.instrs == w.instrs
        && u.names == w.names
        && u.varnames == w.varnames
        && u.cellvars == w.cellvars
        && u.freevars == w.freevars
        && u.positions == w.positions
        && u.exceptions == w.exceptions
        && u.caches == w.caches
        && u.consts.len() == w.consts.len();
    if !plain {
        return Ok(false);
    }
    for i in 0..u.consts.len() {
        // SAFETY: both have that many constants.
        let (x, y) = unsafe { (*d.consts.add(i), *e.consts.add(i)) };
        if vm.class_of(x) != vm.class_of(y) || !vm.eq(x, y)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn wrong(vm: &mut Vm, name: &str, want: &str, v: Value) -> crate::vm::Raised {
    let m = format!(
        "replace() argument '{name}' must be {want}, not {}",
        vm.class_name(v)
    );
    vm.type_error(&m)
}

fn text(vm: &mut Vm, name: &str, v: Value) -> R<String> {
    match vm.as_str(v) {
        Some(s) => Ok(vm.str_to_string(s)),
        None => Err(wrong(vm, name, "str", v)),
    }
}

fn number(vm: &mut Vm, v: Value) -> R<u32> {
    let i = vm.index_i64(v, false)?;
    u32::try_from(i).map_err(|_| vm.value_error("code: argcount must not be negative"))
}

fn names(vm: &mut Vm, name: &str, v: Value) -> R<Vec<String>> {
    let Some(t) = vm.as_tuple(v) else {
        return Err(wrong(vm, name, "tuple", v));
    };
    let mut out = Vec::new();
    for &s in vm.tuple_items(t) {
        let Some(s) = vm.as_str(s) else {
            let m = format!(
                "name tuples must contain only strings, not '{}'",
                vm.class_name(s)
            );
            return Err(vm.type_error(&m));
        };
        out.push(vm.str_to_string(s));
    }
    Ok(out)
}

/// Renames variables that keep their registers.
fn rename(vm: &mut Vm, old: &mut [(String, u16)], new: Vec<String>) -> R<()> {
    if old.len() != new.len() {
        return Err(vm.value_error("code: closure variables must keep their number"));
    }
    for (o, n) in old.iter_mut().zip(new) {
        o.0 = n;
    }
    Ok(())
}

/// What `co_exceptiontable` has of a handler.
fn entry_numbers(e: &ExceptionEntry) -> [u32; 5] {
    [e.start, e.end, e.target, e.reg.into(), e.lasti.into()]
}

fn replace(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.code_data(a[0]);
    let mut u: CodeUnit = (*d.unit).clone();
    u.filename = vm.str_to_string(d.filename);
    let mut consts = constants(vm, a[0]);
    let mut line_table = None;
    let mut pos = 0;
    while let Some((k, v)) = vm.dict_next(a[1], &mut pos) {
        let key = vm.str_to_string(k);
        match key.as_str() {
            "co_name" => u.name = text(vm, &key, v)?,
            "co_qualname" => u.qualname = text(vm, &key, v)?,
            "co_filename" => u.filename = text(vm, &key, v)?,
            "co_argcount" => u.arg_count = number(vm, v)?,
            "co_posonlyargcount" => u.posonly_count = number(vm, v)?,
            "co_kwonlyargcount" => u.kwonly_count = number(vm, v)?,
            "co_firstlineno" => u.first_line = number(vm, v)?,
            "co_flags" => {
                let own = u.flags.0 & CodeFlags::NAMESPACE;
                u.flags = CodeFlags(number(vm, v)? & !CodeFlags::NAMESPACE | own);
            }
            // The number of registers is not the program's to choose.
            "co_nlocals" | "co_stacksize" => {
                number(vm, v)?;
            }
            "co_consts" => {
                let Some(t) = vm.as_tuple(v) else {
                    return Err(wrong(vm, &key, "tuple", v));
                };
                if vm.tuple_len(t) < u.consts.len() {
                    return Err(vm.value_error("code: co_consts is too small"));
                }
                consts = vm.new_list(vm.tuple_items(t));
                u.consts
                    .resize(vm.tuple_len(t), pyrite_bytecode::Const::None);
            }
            "co_names" => u.names = names(vm, &key, v)?,
            "co_varnames" => {
                let n = names(vm, &key, v)?;
                if n.len() != u.varnames.len() {
                    return Err(vm.value_error("code: varnames is too small"));
                }
                u.varnames = n;
            }
            "co_cellvars" => {
                let n = names(vm, &key, v)?;
                rename(vm, &mut u.cellvars, n)?;
            }
            "co_freevars" => {
                let n = names(vm, &key, v)?;
                rename(vm, &mut u.freevars, n)?;
            }
            "co_code" => {
                let Some(b) = vm.as_bytes(v) else {
                    return Err(wrong(vm, &key, "bytes", v));
                };
                let (words, rest) = vm.bytes(b).as_chunks::<8>();
                let new: Vec<Ins> = words.iter().map(|w| Ins(u64::from_le_bytes(*w))).collect();
                if !rest.is_empty() || new != u.instrs {
                    return Err(vm.value_error("code: instructions cannot be replaced"));
                }
            }
            "co_linetable" => {
                let Some(b) = vm.as_bytes(v) else {
                    return Err(wrong(vm, &key, "bytes", v));
                };
                line_table = Some(vm.bytes(b).to_vec());
            }
            "co_exceptiontable" => {
                let Some(b) = vm.as_bytes(v) else {
                    return Err(wrong(vm, &key, "bytes", v));
                };
                let (words, _) = vm.bytes(b).as_chunks::<4>();
                let words: Vec<u32> = words.iter().map(|w| u32::from_le_bytes(*w)).collect();
                let own: Vec<[u32; 5]> = u.exceptions.iter().map(entry_numbers).collect();
                let (new, rest) = words.as_chunks::<5>();
                if !rest.is_empty() || !new.iter().all(|e| own.contains(e)) {
                    return Err(vm.value_error("code: exception handlers cannot be added"));
                }
                u.exceptions.retain(|e| new.contains(&entry_numbers(e)));
            }
            _ => {
                let m = format!("'{key}' is an invalid keyword argument for replace()");
                return Err(vm.type_error(&m));
            }
        }
    }
    if let Some(table) = line_table {
        u.positions = match table.as_slice() {
            [] => Vec::new(),
            t => crate::linetable::decode(t, u.first_line, u.instrs.len()),
        };
    } else if u.first_line != d.first_line {
        // The table's lines are differences from the first.
        let table = crate::linetable::encode(&u.positions, d.first_line);
        u.positions = crate::linetable::decode(&table, u.first_line, u.instrs.len());
    }
    if u.posonly_count > u.arg_count || (u.arg_count + u.kwonly_count) as usize > u.varnames.len() {
        return Err(vm.value_error("code: varnames is too small"));
    }
    Ok(vm.load_code_with(u, consts))
}
