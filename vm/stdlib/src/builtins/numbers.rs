//! Functions about numbers, and `min`, `max` and `sum`.

use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;
use pyrite_objects::feed::{Fed, Feed, Loop};
use pyrite_objects::layout::Layout;
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Vm};

pub(super) fn abs(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(f) = a[0].as_float() {
        return Ok(Value::float(f.abs()));
    }
    let n = vm.names.abs;
    vm.unary(n, "abs()", a[0])
}

fn radix(vm: &mut Vm, v: Value, radix: u32) -> R {
    let i = vm.index(v)?;
    let s = vm.int_to_radix(i, radix);
    Ok(vm.new_str_latin1(s.as_bytes()))
}

pub(super) fn bin(vm: &mut Vm, a: &[Value]) -> R {
    radix(vm, a[0], 2)
}

pub(super) fn oct(vm: &mut Vm, a: &[Value]) -> R {
    radix(vm, a[0], 8)
}

pub(super) fn hex(vm: &mut Vm, a: &[Value]) -> R {
    radix(vm, a[0], 16)
}

pub(super) fn divmod(vm: &mut Vm, a: &[Value]) -> R {
    vm.binary(BinOp::DivMod, a[0], a[1], false)
}

/// The three-argument form: `type(base).__pow__`, without reflected methods.
pub(super) fn pow(vm: &mut Vm, a: &[Value]) -> R {
    let (x, y, m) = (a[0], a[1], a[2]);
    if m.is_null() || m == vm.none {
        return vm.binary(BinOp::Pow, x, y, false);
    }
    let n = vm.names.pow;
    if let Some(r) = vm.call_special(x, n, &[y, m])?
        && r != vm.not_implemented
    {
        return Ok(r);
    }
    // The other operands' classes have their say, as far as they are numbers.
    for v in [y, m] {
        match vm.layout_of(v) {
            Layout::Float | Layout::FloatSub => {
                return Err(vm.type_error(
                    "pow() 3rd argument not allowed unless all arguments are integers",
                ));
            }
            Layout::Complex | Layout::ComplexSub => {
                return Err(vm.value_error("complex modulo"));
            }
            _ => {}
        }
    }
    let text = format!(
        "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
        vm.class_name(x),
        vm.class_name(y),
        vm.class_name(m)
    );
    Err(vm.type_error(&text))
}

pub(super) fn round(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.names.round;
    let args: &[Value] = if a[1].is_null() || a[1] == vm.none {
        &[]
    } else {
        &a[1..2]
    };
    match vm.call_special(a[0], n, args)? {
        Some(r) => Ok(r),
        None => {
            let m = format!(
                "type {} doesn't define __round__ method",
                vm.class_name(a[0])
            );
            Err(vm.type_error(&m))
        }
    }
}

pub(super) fn sum(vm: &mut Vm, a: &[Value]) -> R {
    let mut total = if a[1].is_null() {
        Value::small(0)
    } else {
        a[1]
    };
    let refused = match vm.layout_of(total) {
        Layout::Str | Layout::StrSub => "sum() can't sum strings [use ''.join(seq) instead]",
        Layout::Bytes | Layout::BytesSub => "sum() can't sum bytes [use b''.join(seq) instead]",
        Layout::ByteArray => "sum() can't sum bytearray [use b''.join(seq) instead]",
        _ => "",
    };
    if !refused.is_empty() {
        return Err(vm.type_error(refused));
    }
    let mut items = Feed::new(vm, a[0], Loop::Sum)?;
    loop {
        match items.next(vm, total)? {
            Fed::Item(v) => total = vm.binary(BinOp::Add, total, v, false)?,
            Fed::End => return Ok(total),
            Fed::Done(sum) => return Ok(sum),
        }
        if vm.polled() {
            pyrite_objects::misc::run_pending(vm)?;
        }
    }
}

pub(super) fn max(vm: &mut Vm, a: &[Value]) -> R {
    extreme(vm, a, "max", CmpOp::Gt)
}

pub(super) fn min(vm: &mut Vm, a: &[Value]) -> R {
    extreme(vm, a, "min", CmpOp::Lt)
}

fn extreme(vm: &mut Vm, a: &[Value], name: &str, better: CmpOp) -> R {
    let args = vm.tuple_items(a[0]);
    let key = if a[1].is_null() || a[1] == vm.none {
        Value::NULL
    } else {
        a[1]
    };
    let default = a[2];
    if args.is_empty() {
        return Err(vm.type_error(&format!("{name} expected at least 1 argument, got 0")));
    }
    if args.len() > 1 && default.is_some() {
        let m = format!("Cannot specify a default for {name}() with multiple positional arguments");
        return Err(vm.type_error(&m));
    }
    let from = if args.len() > 1 { a[0] } else { args[0] };
    let kind = match better {
        CmpOp::Lt => Loop::Min,
        _ => Loop::Max,
    };
    let mut items = Feed::new(vm, from, kind)?;
    let (mut best, mut best_key) = (Value::NULL, Value::NULL);
    loop {
        let fed = if best.is_some() && key.is_null() {
            items.next(vm, best)?
        } else {
            items.step(vm)?
        };
        let v = match fed {
            Fed::Item(v) => v,
            Fed::End => break,
            Fed::Done(v) => return Ok(v),
        };
        if vm.polled() {
            pyrite_objects::misc::run_pending(vm)?;
        }
        let k = if key.is_null() {
            v
        } else {
            vm.call(key, &[v])?
        };
        let take = best.is_null() || {
            match vm.quick_compare(better, k, best_key) {
                Some(r) => r,
                None => {
                    let r = vm.compare(better, k, best_key)?;
                    vm.truth(r)?
                }
            }
        };
        if take {
            (best, best_key) = (v, k);
        }
    }
    if best.is_some() {
        Ok(best)
    } else if default.is_some() {
        Ok(default)
    } else {
        Err(vm.value_error(&format!("{name}() arg is an empty sequence")))
    }
}
