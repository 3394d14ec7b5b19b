//! A code unit as JSON, for `emulate.py`.

use pyrite_bytecode::{CodeUnit, Const};
use serde_json::{Value, json};

pub(crate) fn unit_json(u: &CodeUnit) -> Value {
    let instrs: Vec<Value> = u
        .instrs
        .iter()
        .map(|i| json!([i.op().name(), i.d(), i.a(), i.b(), i.c(), i.off(), i.s16()]))
        .collect();
    let exceptions: Vec<Value> = u
        .exceptions
        .iter()
        .map(|e| json!([e.start, e.end, e.target, e.reg]))
        .collect();
    json!({
        "name": u.name,
        "qualname": u.qualname,
        "filename": u.filename,
        "arg_count": u.arg_count,
        "posonly_count": u.posonly_count,
        "kwonly_count": u.kwonly_count,
        "flags": u.flags.0,
        "frame_size": u.frame_size,
        "varnames": u.varnames,
        "cellvars": u.cellvars,
        "freevars": u.freevars,
        "instrs": instrs,
        "consts": u.consts.iter().map(const_json).collect::<Vec<_>>(),
        "caches": u.caches.iter().map(|c| &c.name).collect::<Vec<_>>(),
        "loops": u.loops,
        "exceptions": exceptions,
        "first_line": u.first_line,
        "positions": u.positions.iter().map(|p| (p.line, p.end_line, p.col, p.end_col)).collect::<Vec<_>>(),
        "lines": u.positions.iter().map(|p| p.line).collect::<Vec<_>>(),
        "has_docstring": u.has_docstring,
    })
}

fn const_json(c: &Const) -> Value {
    match c {
        Const::None => json!(["none"]),
        Const::True => json!(["true"]),
        Const::False => json!(["false"]),
        Const::Ellipsis => json!(["ellipsis"]),
        Const::Int(i) => json!(["int", i.to_string()]),
        Const::BigInt(s) => json!(["int", s]),
        Const::Float(f) => json!(["float", f.to_bits().to_string()]),
        Const::Complex(re, im) => {
            json!([
                "complex",
                re.to_bits().to_string(),
                im.to_bits().to_string()
            ])
        }
        Const::Str(s) => json!(["str", s]),
        Const::Bytes(b) => json!(["bytes", b]),
        Const::Tuple(t) => json!(["tuple", t.iter().map(const_json).collect::<Vec<_>>()]),
        Const::FrozenSet(t) => json!(["frozenset", t.iter().map(const_json).collect::<Vec<_>>()]),
        Const::Code(u) => json!(["code", unit_json(u)]),
    }
}
