//! `str.format` and `format_map`: replacement fields.

use crate::native::{NativeDef, def, effects};
use crate::str::this;
use crate::text::Text;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

static METHODS: &[NativeDef] = &[
    def("format", "($self, *args, **kwargs)", effects::ANY, format),
    def(
        "format_map",
        "($self, mapping, /)",
        effects::ANY,
        format_map,
    ),
];

/// Adds these methods to `str`.
pub(crate) fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.str_, METHODS);
}

/// Numbering of fields without a name.
#[derive(PartialEq)]
enum Numbering {
    Unknown,
    Auto(usize),
    Manual,
}

struct Fields {
    /// Tuple of positional arguments, or null for `format_map`.
    args: Value,
    names: Value,
    numbering: Numbering,
}

fn format(vm: &mut Vm, a: &[Value]) -> R {
    run(vm, a[0], a[1], a[2])
}

fn format_map(vm: &mut Vm, a: &[Value]) -> R {
    run(vm, a[0], Value::NULL, a[1])
}

fn run(vm: &mut Vm, s: Value, args: Value, names: Value) -> R {
    let mut f = Fields {
        args,
        names,
        numbering: Numbering::Unknown,
    };
    let s = this(vm, s);
    let out = f.expand(vm, vm.text(s), 2)?;
    Ok(out.finish(vm))
}

const OPEN: u32 = b'{' as u32;
const CLOSE: u32 = b'}' as u32;

impl Fields {
    fn expand(&mut self, vm: &mut Vm, t: Text<'_>, depth: u32) -> R<TextBuf> {
        if depth == 0 {
            return Err(vm.value_error("Max string recursion exceeded"));
        }
        let mut out = TextBuf::new();
        let n = t.len();
        let mut i = 0;
        while i < n {
            let c = t.at(i);
            i += 1;
            match c {
                OPEN | CLOSE => {
                    if i < n && t.at(i) == c {
                        out.push(c);
                        i += 1;
                    } else if c == CLOSE {
                        return Err(vm.value_error("Single '}' encountered in format string"));
                    } else if i == n {
                        return Err(vm.value_error("Single '{' encountered in format string"));
                    } else {
                        i = self.field(vm, t, i, &mut out, depth)?;
                    }
                }
                c => out.push(c),
            }
        }
        Ok(out)
    }

    /// A field whose text starts at `i`; the position behind it.
    fn field(
        &mut self,
        vm: &mut Vm,
        t: Text<'_>,
        mut i: usize,
        out: &mut TextBuf,
        depth: u32,
    ) -> R<usize> {
        let n = t.len();
        let start = i;
        let mut bracket = false;
        while i < n {
            match t.at(i) {
                OPEN if !bracket => return Err(vm.value_error("unexpected '{' in field name")),
                0x5B => bracket = true,
                0x5D => bracket = false,
                CLOSE | 0x3A | 0x21 if !bracket => break,
                _ => {}
            }
            i += 1;
        }
        if i == n {
            return Err(vm.value_error("expected '}' before end of string"));
        }
        let name = t.slice(start..i);
        let mut conversion = 0;
        let mut c = t.at(i);
        if c == 0x21 {
            i += 1;
            if i == n {
                return Err(vm.value_error("end of string while looking for conversion specifier"));
            }
            conversion = t.at(i);
            i += 1;
            if i == n {
                return Err(vm.value_error("unmatched '{' in format spec"));
            }
            c = t.at(i);
            if c != 0x3A && c != CLOSE {
                return Err(vm.value_error("expected ':' after conversion specifier"));
            }
        }
        let mut spec = t.slice(0..0);
        let mut nested = false;
        if c == 0x3A {
            i += 1;
            let from = i;
            let mut open = 1;
            loop {
                if i == n {
                    let m = if open > 1 || nested {
                        "unmatched '{' in format spec"
                    } else {
                        "expected '}' before end of string"
                    };
                    return Err(vm.value_error(m));
                }
                match t.at(i) {
                    OPEN => {
                        open += 1;
                        nested = true;
                    }
                    CLOSE => {
                        open -= 1;
                        if open == 0 {
                            break;
                        }
                    }
                    _ => {}
                }
                i += 1;
            }
            spec = t.slice(from..i);
        }
        let mut v = self.object(vm, name)?;
        if conversion != 0 {
            v = match u8::try_from(conversion).unwrap_or(0) {
                b's' => vm.str(v)?,
                b'r' => vm.repr(v)?,
                b'a' => {
                    let r = vm.repr(v)?;
                    crate::misc::ascii(vm, r)
                }
                _ => {
                    let m = match char::from_u32(conversion) {
                        Some(c @ '!'..='~') => format!("Unknown conversion specifier {c}"),
                        _ => format!("Unknown conversion specifier \\x{conversion:x}"),
                    };
                    return Err(vm.value_error(&m));
                }
            };
        }
        let spec = if nested {
            let b = self.expand(vm, spec, depth - 1)?;
            b.finish(vm)
        } else {
            vm.new_str_text(spec)
        };
        let r = vm.format(v, spec)?;
        out.push_text(vm.text(this(vm, r)));
        Ok(i + 1)
    }

    /// The object a field name stands for.
    fn object(&mut self, vm: &mut Vm, name: Text<'_>) -> R {
        let n = name.len();
        let first = name
            .iter()
            .position(|c| matches!(c, 0x2E | 0x5B))
            .unwrap_or(n);
        let head = name.slice(0..first);
        let number = index_of(vm, head)?;
        let number = match number {
            _ if !head.is_empty() && number.is_none() => None,
            number => {
                if (head.is_empty() && self.numbering == Numbering::Manual)
                    || (!head.is_empty() && matches!(self.numbering, Numbering::Auto(_)))
                {
                    let m = if head.is_empty() {
                        "cannot switch from manual field specification to automatic field numbering"
                    } else {
                        "cannot switch from automatic field numbering to manual field specification"
                    };
                    return Err(vm.value_error(m));
                }
                Some(match number {
                    Some(k) => {
                        self.numbering = Numbering::Manual;
                        k
                    }
                    None => {
                        let k = match self.numbering {
                            Numbering::Auto(k) => k,
                            _ => 0,
                        };
                        self.numbering = Numbering::Auto(k + 1);
                        k
                    }
                })
            }
        };
        let mut v = match number {
            None => {
                let key = vm.new_str_text(head);
                vm.getitem(self.names, key)?
            }
            Some(_) if self.args.is_null() => {
                return Err(vm.value_error("Format string contains positional fields"));
            }
            Some(k) => match vm.tuple_items(self.args).get(k) {
                Some(&v) => v,
                None => {
                    let m = format!("Replacement index {k} out of range for positional args tuple");
                    return Err(vm.index_error(&m));
                }
            },
        };
        let mut i = first;
        while i < n {
            let c = name.at(i);
            i += 1;
            let start = i;
            if c == 0x2E {
                while i < n && !matches!(name.at(i), 0x2E | 0x5B) {
                    i += 1;
                }
                if i == start {
                    return Err(vm.value_error("Empty attribute in format string"));
                }
                let key = vm.new_str_text(name.slice(start..i));
                let key = vm.intern_value(key);
                v = vm.getattr(v, key)?;
            } else if c == 0x5B {
                while i < n && name.at(i) != 0x5D {
                    i += 1;
                }
                if i == n {
                    return Err(vm.value_error("Missing ']' in format string"));
                }
                let key = name.slice(start..i);
                i += 1;
                if key.is_empty() {
                    return Err(vm.value_error("Empty attribute in format string"));
                }
                let key = match index_of(vm, key)? {
                    Some(k) => vm.new_int(k as i64),
                    None => vm.new_str_text(key),
                };
                v = vm.getitem(v, key)?;
            } else {
                return Err(
                    vm.value_error("Only '.' or '[' may follow ']' in format field specifier")
                );
            }
        }
        Ok(v)
    }
}

/// The number that a name made of digits stands for.
fn index_of(vm: &mut Vm, t: Text<'_>) -> R<Option<usize>> {
    let mut n = 0usize;
    for c in t.iter() {
        let Some(d) = crate::unicode::decimal(c) else {
            return Ok(None);
        };
        n = match n.checked_mul(10).and_then(|n| n.checked_add(d as usize)) {
            Some(n) if n <= i64::MAX as usize => n,
            _ => {
                return Err(vm.value_error("Too many decimal digits in format string"));
            }
        };
    }
    Ok((!t.is_empty()).then_some(n))
}
