//! Reading node objects that a program made: fields, lists, places, with the
//! errors that CPython has for what is missing or of the wrong kind.

use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Vm};
use pyrite_stdlib::ast_types::{Node, has_place, node_class, nodes};

/// A node object and what its class means.
#[derive(Clone, Copy)]
pub(crate) struct Obj {
    pub(crate) v: Value,
    pub(crate) row: &'static Node,
}

/// Lines from 1, columns in bytes from 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) col: u32,
    pub(crate) end_line: u32,
    pub(crate) end_col: u32,
}

/// The node that `v` is, of the sum or product `sum`.
///
/// # Errors
/// TypeError for anything else.
pub(crate) fn classify(vm: &mut Vm, v: Value, sum: &str) -> R<Obj> {
    if v.is_ptr() && v != vm.none {
        let mro = vm.class_of(v).mro.get();
        for i in 0..vm.tuple_len(mro) {
            let c = vm.tuple_get(mro, i);
            if !vm.is_type(c) {
                continue;
            }
            let name = vm.type_name(Gc::from_value(c));
            if let Some(row) = nodes().get(name.as_str())
                && row.sum == sum
                && node_class(vm, row.name) == c
            {
                return Ok(Obj { v, row });
            }
        }
    }
    if has_place(sum) && v != vm.none {
        for name in ["lineno", "col_offset"] {
            let n = vm.intern(name);
            if vm.getattr_opt(v, n)?.is_null() {
                let m = format!("required field \"{name}\" missing from {sum}");
                return Err(vm.type_error(&m));
            }
        }
    }
    let m = format!(
        "expected some sort of {sum}, but got {}",
        vm.repr_string(v)?
    );
    Err(vm.type_error(&m))
}

impl Obj {
    /// A field's value; None for an optional one that is not there.
    pub(crate) fn get(self, vm: &mut Vm, field: &str) -> R {
        let n = vm.intern(field);
        let v = vm.getattr_opt(self.v, n)?;
        if v.is_some() {
            return Ok(v);
        }
        let optional = self
            .row
            .fields
            .iter()
            .any(|f| f.name == field && f.optional);
        if optional {
            return Ok(vm.none);
        }
        let m = format!("required field \"{field}\" missing from {}", self.row.name);
        Err(vm.type_error(&m))
    }

    /// A field that must not be None.
    pub(crate) fn required(self, vm: &mut Vm, field: &str) -> R {
        let v = self.get(vm, field)?;
        if v == vm.none {
            let m = format!("field '{field}' is required for {}", self.row.name);
            return Err(vm.value_error(&m));
        }
        Ok(v)
    }

    /// A field that holds a list.
    pub(crate) fn list(self, vm: &mut Vm, field: &str) -> R {
        let v = self.get(vm, field)?;
        if !vm.is_list(v) {
            let m = format!(
                "{} field \"{field}\" must be a list, not a {}",
                self.row.name,
                vm.class_name(v)
            );
            return Err(vm.type_error(&m));
        }
        Ok(v)
    }

    /// A list that must have items; `owner` is named if it has none.
    pub(crate) fn filled(self, vm: &mut Vm, field: &str) -> R {
        let l = self.list(vm, field)?;
        if vm.list_len(l) == 0 {
            let m = format!("empty {field} on {}", self.row.name);
            return Err(vm.value_error(&m));
        }
        Ok(l)
    }

    /// An identifier, or `None`.
    pub(crate) fn identifier(self, vm: &mut Vm, field: &str) -> R<Option<String>> {
        let v = self.get(vm, field)?;
        identifier(vm, v)
    }

    /// An identifier that must be there.
    pub(crate) fn name(self, vm: &mut Vm, field: &str) -> R<String> {
        let v = self.required(vm, field)?;
        match identifier(vm, v)? {
            Some(s) => Ok(s),
            None => Err(vm.type_error("AST identifier must be of type str")),
        }
    }

    /// An integer; 0 for None.
    pub(crate) fn int(self, vm: &mut Vm, field: &str) -> R<i64> {
        let v = self.get(vm, field)?;
        if v == vm.none {
            return Ok(0);
        }
        int(vm, v)
    }

    /// Where the node says it is.
    pub(crate) fn place(self, vm: &mut Vm) -> R<Place> {
        if !has_place(self.row.sum) {
            return Ok(Place::default());
        }
        let mut numbers = [0i64; 4];
        let names = ["lineno", "col_offset", "end_lineno", "end_col_offset"];
        for (i, name) in names.into_iter().enumerate() {
            let n = vm.intern(name);
            let v = vm.getattr_opt(self.v, n)?;
            numbers[i] = if v.is_some() && v != vm.none {
                int(vm, v)?
            } else if i < 2 {
                let m = format!("required field \"{name}\" missing from {}", self.row.sum);
                return Err(vm.type_error(&m));
            } else {
                // Without an end the node is where it begins.
                numbers[i - 2]
            };
        }
        let [line, col, end_line, end_col] = numbers;
        let wrong = if line > end_line {
            format!("AST node line range ({line}, {end_line}) is not valid")
        } else if line < 0 && end_line != line || col < 0 && col != end_col {
            format!(
                "AST node column range ({col}, {end_col}) for line range ({line}, {end_line}) is not valid"
            )
        } else if line == end_line && col > end_col {
            format!("line {line}, column {col}-{end_col} is not a valid range")
        } else {
            let n = |x: i64| u32::try_from(x).unwrap_or(0);
            return Ok(Place {
                line: n(line),
                col: n(col),
                end_line: n(end_line),
                end_col: n(end_col),
            });
        };
        Err(vm.value_error(&wrong))
    }
}

fn int(vm: &mut Vm, v: Value) -> R<i64> {
    match vm.as_int(v).and_then(|i| vm.int_to_i64(i)) {
        Some(i) => Ok(i),
        None => {
            let m = format!("invalid integer value: {}", vm.repr_string(v)?);
            Err(vm.value_error(&m))
        }
    }
}

/// An identifier that may be None.
pub(crate) fn identifier(vm: &mut Vm, v: Value) -> R<Option<String>> {
    if v == vm.none {
        return Ok(None);
    }
    match vm.as_str(v) {
        Some(s) if s == v => Ok(Some(vm.str_to_string(s))),
        _ => Err(vm.type_error("AST identifier must be of type str")),
    }
}
