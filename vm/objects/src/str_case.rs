//! `str`: case conversion and classification of characters.

use crate::native::{NativeDef, def, effects};
use crate::str::this;
use crate::text::Text;
use crate::unicode as u;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const PURE: u8 = effects::PURE | effects::ALLOC;

static METHODS: &[NativeDef] = &[
    def("upper", "($self, /)", PURE, upper),
    def("lower", "($self, /)", PURE, lower),
    def("casefold", "($self, /)", PURE, casefold),
    def("swapcase", "($self, /)", PURE, swapcase),
    def("title", "($self, /)", PURE, title),
    def("capitalize", "($self, /)", PURE, capitalize),
    def("isalpha", "($self, /)", PURE, isalpha),
    def("isalnum", "($self, /)", PURE, isalnum),
    def("isdecimal", "($self, /)", PURE, isdecimal),
    def("isdigit", "($self, /)", PURE, isdigit),
    def("isnumeric", "($self, /)", PURE, isnumeric),
    def("isspace", "($self, /)", PURE, isspace),
    def("isascii", "($self, /)", PURE, isascii),
    def("isprintable", "($self, /)", PURE, isprintable),
    def("isidentifier", "($self, /)", PURE, isidentifier),
    def("islower", "($self, /)", PURE, islower),
    def("isupper", "($self, /)", PURE, isupper),
    def("istitle", "($self, /)", PURE, istitle),
];

/// Adds these methods to `str`.
pub(crate) fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.str_, METHODS);
}

fn text(vm: &Vm, v: Value) -> Text<'static> {
    vm.text(this(vm, v))
}

fn ascii(t: Text<'_>) -> Option<&[u8]> {
    match t {
        Text::One(b) if b.is_ascii() => Some(b),
        _ => None,
    }
}

fn upper(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    if let Some(b) = ascii(t) {
        return Ok(vm.new_str_latin1(&b.to_ascii_uppercase()));
    }
    let mut out = Vec::with_capacity(t.len());
    t.iter().for_each(|c| u::to_upper(c, &mut out));
    Ok(vm.new_str_points(&out))
}

/// Lower case of code point `i`: a capital sigma at the end of a word becomes a
/// final one.
fn lower_at(t: Text<'_>, i: usize, out: &mut Vec<u32>) {
    const SIGMA: u32 = 0x3A3;
    let c = t.at(i);
    if c != SIGMA {
        return u::to_lower(c, out);
    }
    let first_cased = |mut it: Box<dyn Iterator<Item = u32> + '_>| {
        it.find(|&c| !u::is_case_ignorable(c))
            .is_some_and(u::is_cased)
    };
    let before = first_cased(Box::new(t.slice(0..i).iter().rev()));
    let after = first_cased(Box::new(t.slice(i + 1..t.len()).iter()));
    out.push(if before && !after { 0x3C2 } else { 0x3C3 });
}

fn lower(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    if let Some(b) = ascii(t) {
        return Ok(vm.new_str_latin1(&b.to_ascii_lowercase()));
    }
    let mut out = Vec::with_capacity(t.len());
    (0..t.len()).for_each(|i| lower_at(t, i, &mut out));
    Ok(vm.new_str_points(&out))
}

fn casefold(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    if let Some(b) = ascii(t) {
        return Ok(vm.new_str_latin1(&b.to_ascii_lowercase()));
    }
    let mut out = Vec::with_capacity(t.len());
    t.iter().for_each(|c| u::to_fold(c, &mut out));
    Ok(vm.new_str_points(&out))
}

fn swapcase(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let mut out = Vec::with_capacity(t.len());
    for (i, c) in t.iter().enumerate() {
        if u::is_upper(c) {
            lower_at(t, i, &mut out);
        } else if u::is_lower(c) {
            u::to_upper(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Ok(vm.new_str_points(&out))
}

fn title(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let mut out = Vec::with_capacity(t.len());
    let mut inside = false;
    for (i, c) in t.iter().enumerate() {
        if inside {
            lower_at(t, i, &mut out);
        } else {
            u::to_title(c, &mut out);
        }
        inside = u::is_cased(c);
    }
    Ok(vm.new_str_points(&out))
}

fn capitalize(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let mut out = Vec::with_capacity(t.len());
    for (i, c) in t.iter().enumerate() {
        if i == 0 {
            u::to_title(c, &mut out);
        } else {
            lower_at(t, i, &mut out);
        }
    }
    Ok(vm.new_str_points(&out))
}

/// True if there are characters and all of them satisfy `f`.
fn all(vm: &mut Vm, a: &[Value], f: fn(u32) -> bool) -> R {
    let t = text(vm, a[0]);
    Ok(vm.bool(!t.is_empty() && t.iter().all(f)))
}

fn isalpha(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u::is_alpha)
}

fn isalnum(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u::is_alnum)
}

fn isdecimal(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u::is_decimal)
}

fn isdigit(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u::is_digit)
}

fn isnumeric(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u::is_numeric)
}

fn isspace(vm: &mut Vm, a: &[Value]) -> R {
    all(vm, a, u::is_space)
}

fn isascii(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    Ok(vm.bool(ascii(t).is_some()))
}

fn isprintable(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    Ok(vm.bool(t.iter().all(u::is_printable)))
}

/// True for a text that may be a name.
pub fn is_identifier(t: Text<'_>) -> bool {
    !t.is_empty() && u::is_xid_start(t.at(0)) && t.iter().skip(1).all(u::is_xid_continue)
}

fn isidentifier(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    Ok(vm.bool(is_identifier(t)))
}

fn islower(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let ok = t.iter().any(u::is_lower) && !t.iter().any(|c| u::is_upper(c) || u::is_title(c));
    Ok(vm.bool(ok))
}

fn isupper(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let ok = t.iter().any(u::is_upper) && !t.iter().any(|c| u::is_lower(c) || u::is_title(c));
    Ok(vm.bool(ok))
}

fn istitle(vm: &mut Vm, a: &[Value]) -> R {
    let t = text(vm, a[0]);
    let (mut any, mut inside) = (false, false);
    for c in t.iter() {
        if u::is_upper(c) || u::is_title(c) {
            if inside {
                return Ok(vm.false_);
            }
            (any, inside) = (true, true);
        } else if u::is_lower(c) {
            if !inside {
                return Ok(vm.false_);
            }
            any = true;
        } else {
            inside = false;
        }
    }
    Ok(vm.bool(any))
}
