//! Text of a code unit, one instruction a line.

use crate::{CodeUnit, Const, OperandKind};
use std::fmt::Write;

/// The unit and every unit among its constants, as text.
///
/// A line reads `line  index  MNEMONIC operands`; jumps show the index they go
/// to, constants and caches what they hold.
pub fn disassemble(unit: &CodeUnit) -> String {
    let mut out = String::new();
    unit_text(unit, &mut out);
    out
}

fn unit_text(unit: &CodeUnit, out: &mut String) {
    let _ = writeln!(
        out,
        "code {} ({}:{}) args={} registers={}",
        unit.qualname, unit.filename, unit.first_line, unit.arg_count, unit.frame_size
    );
    let mut last_line = 0;
    for (i, ins) in unit.instrs.iter().enumerate() {
        let line = unit.positions.get(i).map_or(0, |p| p.line);
        if line != last_line && line != 0 {
            let _ = write!(out, "{line:5}");
            last_line = line;
        } else {
            out.push_str("     ");
        }
        let op = ins.op();
        let _ = write!(out, " {i:4}  {:<22}", op.name());
        if ins.d() != 0 {
            let _ = write!(out, " d={}", ins.d());
        }
        for &(letter, kind) in op.operands() {
            let n = match letter {
                'a' => ins.a(),
                'b' => ins.b(),
                _ => ins.c(),
            };
            let _ = match kind {
                OperandKind::Const => {
                    write!(
                        out,
                        " k{n}({})",
                        unit.consts.get(n).map_or_else(|| "?".into(), const_text)
                    )
                }
                OperandKind::Cache => {
                    write!(
                        out,
                        " ic{n}({})",
                        unit.caches.get(n).map_or("?", |c| &c.name)
                    )
                }
                OperandKind::Number => write!(out, " #{n}"),
                OperandKind::Offset32 if op.name() == "LOAD_INT" => write!(out, " {}", ins.off()),
                OperandKind::Offset32 => write!(out, " ->{}", i as i64 + 1 + i64::from(ins.off())),
                OperandKind::Offset16 => write!(out, " ->{}", i as i64 + 1 + i64::from(ins.s16())),
                _ => write!(out, " r{n}"),
            };
        }
        if op.name() == "LOOP" {
            let _ = write!(
                out,
                " ->{}",
                unit.loops.get(ins.b()).map_or(-1, |&h| i64::from(h))
            );
        }
        out.push('\n');
    }
    for e in &unit.exceptions {
        let _ = writeln!(
            out,
            "  exceptions {}..{} -> {} in r{}",
            e.start, e.end, e.target, e.reg
        );
    }
    for c in &unit.consts {
        if let Const::Code(inner) = c {
            out.push('\n');
            unit_text(inner, out);
        }
    }
}

fn const_text(c: &Const) -> String {
    match c {
        Const::None => "None".into(),
        Const::True => "True".into(),
        Const::False => "False".into(),
        Const::Ellipsis => "...".into(),
        Const::Int(i) => i.to_string(),
        Const::BigInt(s) => s.clone(),
        Const::Float(f) => format!("{f:?}"),
        Const::Complex(re, im) => format!("{re:?}+{im:?}j"),
        Const::Str(s) => {
            let text: String = s
                .iter()
                .map(|&c| char::from_u32(c).unwrap_or('\u{fffd}'))
                .collect();
            format!("{text:?}")
        }
        Const::Bytes(b) => format!("b{:?}", String::from_utf8_lossy(b)),
        Const::Tuple(t) => format!(
            "({})",
            t.iter().map(const_text).collect::<Vec<_>>().join(", ")
        ),
        Const::FrozenSet(t) => format!(
            "{{{}}}",
            t.iter().map(const_text).collect::<Vec<_>>().join(", ")
        ),
        Const::Code(u) => format!("<code {}>", u.name),
    }
}
