//! Constants as source text.

use pyrite_machine::Value;
use pyrite_objects::layout::Layout;
use pyrite_objects::vm::{R, Vm};
use std::fmt::Write;

/// Appends code points between quotes `"`, everything unusual escaped, braces
/// too: the text may stand in an f-string.
pub(crate) fn text(out: &mut String, points: impl Iterator<Item = u32>) {
    for c in points {
        let plain = char::from_u32(c)
            .filter(|&c| c.is_ascii_graphic() && !"\\\"'{}".contains(c) || c == ' ');
        // Writing to a string cannot fail.
        let _ = match plain {
            Some(c) => {
                out.push(c);
                Ok(())
            }
            None if c < 0x100 => write!(out, "\\x{c:02x}"),
            None if c < 0x1_0000 => write!(out, "\\u{c:04x}"),
            None => write!(out, "\\U{c:08x}"),
        };
    }
}

/// Appends a float that reads back as it is; NaN has no literal, a difference of
/// infinities makes one.
fn float(out: &mut String, f: f64) {
    if f.is_nan() {
        out.push_str("(1e999-1e999)");
    } else if f.is_infinite() {
        out.push_str("1e999");
    } else {
        let _ = write!(out, "{:?}", f.abs());
    }
}

/// Appends a constant as an expression.
///
/// # Errors
/// TypeError for what no constant can be.
pub(crate) fn constant(vm: &mut Vm, v: Value, out: &mut String) -> R<()> {
    vm.enter_native()?;
    for (single, name) in [
        (vm.none, "None"),
        (vm.true_, "True"),
        (vm.false_, "False"),
        (vm.ellipsis, "..."),
    ] {
        if v == single {
            out.push_str(name);
            return Ok(());
        }
    }
    match vm.layout_of(v) {
        Layout::Int => {
            let s = vm.int_to_big(v).to_string();
            if s.starts_with('-') {
                let _ = write!(out, "({s})");
            } else {
                out.push_str(&s);
            }
        }
        Layout::Float => {
            let f = vm.as_float(v).unwrap_or_default();
            let negative = f.is_sign_negative() && !f.is_nan();
            if negative {
                out.push_str("(-");
            }
            float(out, f);
            if negative {
                out.push(')');
            }
        }
        Layout::Complex => {
            let (re, im) = vm.as_complex(v).unwrap_or_default();
            if re == 0.0 && re.is_sign_positive() && im.is_sign_positive() && !im.is_nan() {
                // A literal: the expression begins where its text does.
                float(out, im);
                out.push('j');
                return Ok(());
            }
            out.push('(');
            if re != 0.0 || re.is_sign_negative() {
                if re.is_sign_negative() {
                    out.push('-');
                }
                float(out, re);
                out.push(if im.is_sign_negative() { '-' } else { '+' });
            } else if im.is_sign_negative() {
                out.push('-');
            }
            float(out, im);
            out.push_str("j)");
        }
        Layout::Str => {
            out.push('"');
            text(out, vm.text(v).iter());
            out.push('"');
        }
        Layout::Bytes => {
            out.push_str("b\"");
            text(out, vm.bytes(v).iter().map(|&b| b.into()));
            out.push('"');
        }
        Layout::Tuple => {
            out.push('(');
            for i in 0..vm.tuple_len(v) {
                constant(vm, vm.tuple_get(v, i), out)?;
                out.push(',');
            }
            out.push(')');
        }
        Layout::FrozenSet => {
            out.push_str("frozenset((");
            let d = vm.set_dict(v);
            let mut pos = 0;
            while let Some((k, _)) = vm.dict_next(d, &mut pos) {
                constant(vm, k, out)?;
                out.push(',');
            }
            out.push_str("))");
        }
        _ => {
            let m = format!("got an invalid type in Constant: {}", vm.class_name(v));
            return Err(vm.type_error(&m));
        }
    }
    Ok(())
}
