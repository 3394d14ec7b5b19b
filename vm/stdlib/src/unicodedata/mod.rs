//! The `unicodedata` module: names, properties and normal forms of characters, of
//! Unicode 14 and, as `ucd_3_2_0`, of Unicode 3.2.

mod normal;
mod tables;

use crate::{module, set};
use normal::{Form, normalize};
use pyrite_machine::Value;
use pyrite_objects::layout::Layout;
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use tables::tables;

const ANY: u8 = effects::ANY;

object_layout! {
    /// `UCD`: the only one is that of Unicode 3.2.
    Ucd [Library, RAW2] { _a: usize, _b: usize }
}

/// Declares a function of the module and the method of `UCD` by the same name.
macro_rules! both {
    ($($name:literal $args:literal $f:path, $doc:literal;)*) => {
        static FUNCTIONS: &[NativeDef] = &[
            $(def($name, concat!("(", $args, ", /)"), ANY, |vm, a| $f(vm, false, a)).doc($doc),)*
        ];
        static METHODS: &[NativeDef] = &[
            $(def($name, concat!("($self, ", $args, ", /)"), ANY, |vm, a| $f(vm, true, &a[1..])).doc($doc),)*
        ];
    };
}

both! {
    "bidirectional" "chr" bidirectional, "Returns the bidirectional class assigned to the character chr as string.";
    "category" "chr" category, "Returns the general category assigned to the character chr as string.";
    "combining" "chr" combining, "Returns the canonical combining class assigned to the character chr as integer.";
    "decimal" "chr, default=<unrepresentable>" decimal, "Converts a Unicode character into its equivalent decimal value.";
    "decomposition" "chr" decomposition, "Returns the character decomposition mapping assigned to the character chr as string.";
    "digit" "chr, default=<unrepresentable>" digit, "Converts a Unicode character into its equivalent digit value.";
    "east_asian_width" "chr" east_asian_width, "Returns the east asian width assigned to the character chr as string.";
    "is_normalized" "form, unistr" is_normalized, "Return whether the Unicode string unistr is in the normal form 'form'.";
    "lookup" "name" lookup, "Look up character by name.";
    "mirrored" "chr" mirrored, "Returns the mirrored property assigned to the character chr as integer.";
    "name" "chr, default=<unrepresentable>" name, "Returns the name assigned to the character chr as a string.";
    "normalize" "form, unistr" normalized, "Return the normal form 'form' for the Unicode string unistr.";
    "numeric" "chr, default=<unrepresentable>" numeric, "Converts a Unicode character into its equivalent numeric value.";
}

static FIELDS: &[GetSetDef] = &[getter("unidata_version", |vm, _| Ok(vm.new_str("3.2.0")))];

fn character(vm: &mut Vm, v: Value, who: &str) -> R<u32> {
    if let Some(s) = vm.as_str(v) {
        let t = vm.text(s);
        if t.len() == 1 {
            return Ok(t.at(0));
        }
    }
    let m = format!(
        "{who} must be a unicode character, not {}",
        vm.class_name(v)
    );
    Err(vm.type_error(&m))
}

fn category(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "category() argument")?;
    Ok(vm.intern(tables().record(old, c).category))
}

fn bidirectional(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "bidirectional() argument")?;
    Ok(vm.intern(tables().record(old, c).bidirectional))
}

fn combining(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "combining() argument")?;
    Ok(Value::small(tables().record(old, c).combining.into()))
}

fn mirrored(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "mirrored() argument")?;
    Ok(Value::small(tables().record(old, c).mirrored.into()))
}

fn east_asian_width(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "east_asian_width() argument")?;
    Ok(vm.intern(tables().record(old, c).width))
}

fn decomposition(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "decomposition() argument")?;
    Ok(vm.new_str(tables().decomposition(old, c)))
}

/// A value, the default, or ValueError.
fn or_default(vm: &mut Vm, found: Option<Value>, default: Value, message: &str) -> R {
    match found {
        Some(v) => Ok(v),
        None if default.is_some() => Ok(default),
        None => Err(vm.value_error(message)),
    }
}

fn decimal(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "decimal() argument 1")?;
    let n = tables().number(old, c).decimal;
    or_default(vm, n.map(|n| Value::small(n.into())), a[1], "not a decimal")
}

fn digit(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "digit() argument 1")?;
    let n = tables().number(old, c).digit;
    or_default(vm, n.map(|n| Value::small(n.into())), a[1], "not a digit")
}

fn numeric(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "numeric() argument 1")?;
    let n = tables().number(old, c).numeric;
    or_default(vm, n.map(Value::float), a[1], "not a numeric character")
}

/// Parts of the names of Hangul syllables.
static HANGUL: [&[&str]; 3] = [
    &[
        "G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T",
        "P", "H",
    ],
    &[
        "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO",
        "WE", "WI", "YU", "EU", "YI", "I",
    ],
    &[
        "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH",
        "M", "B", "BS", "S", "SS", "NG", "J", "C", "K", "T", "P", "H",
    ],
];

const SYLLABLE: &str = "HANGUL SYLLABLE ";
const IDEOGRAPH: &str = "CJK UNIFIED IDEOGRAPH-";

fn name_of(old: bool, c: u32) -> Option<String> {
    let t = tables();
    if old && t.record(true, c).category == "Cn" {
        return None;
    }
    if (0xAC00..=0xD7A3).contains(&c) {
        let s = (c - 0xAC00) as usize;
        let parts = [
            HANGUL[0][s / 588],
            HANGUL[1][s % 588 / 28],
            HANGUL[2][s % 28],
        ];
        return Some(format!("{SYLLABLE}{}", parts.concat()));
    }
    if t.is_ideograph(c) {
        return Some(format!("{IDEOGRAPH}{c:X}"));
    }
    t.name(c).map(str::to_owned)
}

fn name(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let c = character(vm, a[0], "name() argument 1")?;
    let found = name_of(old, c).map(|n| vm.new_str(&n));
    or_default(vm, found, a[1], "no such name")
}

/// The longest part that `s` starts with: its number and length.
fn longest(parts: &[&str], s: &str) -> Option<(u32, usize)> {
    (0u32..)
        .zip(parts)
        .filter(|(_, p)| s.starts_with(**p))
        .map(|(i, p)| (i, p.len()))
        .max_by_key(|&(_, n)| n)
}

/// The character with a name, in upper case.
fn named(name: &str) -> Option<u32> {
    if let Some(mut rest) = name.strip_prefix(SYLLABLE) {
        let mut s = 0;
        for (k, count) in [(0, 19), (1, 21), (2, 28)] {
            let (i, n) = longest(HANGUL[k], rest)?;
            s = s * count + i;
            rest = &rest[n..];
        }
        return rest.is_empty().then_some(0xAC00 + s);
    }
    if let Some(digits) = name.strip_prefix(IDEOGRAPH) {
        let good = matches!(digits.len(), 4 | 5)
            && digits
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F'));
        let c = good
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()?;
        return tables().is_ideograph(c).then_some(c);
    }
    tables().named(name)
}

/// What a name, an alias or the name of a sequence stands for; case is ignored.
pub fn lookup_name(name: &str) -> Option<Vec<u32>> {
    let name = name.to_ascii_uppercase();
    match named(&name) {
        Some(c) => Some(vec![c]),
        None => tables().sequence(&name).map(<[u32]>::to_vec),
    }
}

/// The name of a character, as `unicodedata.name` gives it.
pub fn character_name(c: u32) -> Option<String> {
    name_of(false, c)
}

/// What a name or an alias stands for; case is ignored.
pub fn named_character(name: &str) -> Option<u32> {
    match lookup_name(name)?.as_slice() {
        &[c] => Some(c),
        _ => None,
    }
}

fn lookup(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let text = match vm.as_str(a[0]) {
        Some(_) => vm.str_to_string(a[0]),
        None => match vm.buffer(a[0]) {
            Some(b) => String::from_utf8_lossy(b).into_owned(),
            None => {
                let m = format!(
                    "lookup() argument must be read-only bytes-like object, not {}",
                    vm.class_name(a[0])
                );
                return Err(vm.type_error(&m));
            }
        },
    };
    if text.len() > 256 {
        let m = vm.new_str("name too long");
        return Err(vm.key_error(m));
    }
    // Unicode 3.2 has neither sequences nor the aliases, which correct names.
    let known = |c: &Vec<u32>| {
        !old || c.len() == 1
            && tables().record(true, c[0]).category != "Cn"
            && name_of(true, c[0]).is_some_and(|n| n.eq_ignore_ascii_case(&text))
    };
    match lookup_name(&text).filter(known) {
        Some(points) => Ok(vm.new_str_points(&points)),
        None => {
            let m = vm.new_str(&format!("undefined character name '{text}'"));
            Err(vm.key_error(m))
        }
    }
}

fn form(vm: &mut Vm, v: Value) -> R<Form> {
    let (compose, compatible) = match vm.str_to_string(v).as_str() {
        "NFC" => (true, false),
        "NFKC" => (true, true),
        "NFD" => (false, false),
        "NFKD" => (false, true),
        _ => return Err(vm.value_error("invalid normalization form")),
    };
    Ok(Form {
        compose,
        compatible,
    })
}

fn strings(vm: &mut Vm, who: &str, a: &[Value]) -> R {
    for (i, &v) in a.iter().enumerate() {
        if !vm.is_str(v) {
            let m = format!(
                "{who}() argument {} must be str, not {}",
                i + 1,
                vm.class_name(v)
            );
            return Err(vm.type_error(&m));
        }
    }
    Ok(vm.as_str(a[1]).unwrap_or(a[1]))
}

fn normalized(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let s = strings(vm, "normalize", a)?;
    let t = vm.text(s);
    if t.is_empty() {
        return Ok(a[1]);
    }
    let form = form(vm, a[0])?;
    if t.iter().all(|c| c < 0x80) {
        return Ok(a[1]);
    }
    let points = normalize(old, form, t.iter());
    Ok(vm.new_str_points(&points))
}

fn is_normalized(vm: &mut Vm, old: bool, a: &[Value]) -> R {
    let s = strings(vm, "is_normalized", a)?;
    let t = vm.text(s);
    if t.is_empty() {
        return Ok(vm.true_);
    }
    let form = form(vm, a[0])?;
    let same =
        t.iter().all(|c| c < 0x80) || normalize(old, form, t.iter()).into_iter().eq(t.iter());
    Ok(vm.bool(same))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "This module provides access to the Unicode Character Database which\ndefines character properties for all Unicode characters.";
    let m = module(vm, "unicodedata", doc, FUNCTIONS);
    let v = vm.new_str("14.0.0");
    set(vm, m, "unidata_version", v);
    let t = vm.native_type(&TypeDef {
        module: "unicodedata",
        methods: METHODS,
        getset: FIELDS,
        ..TypeDef::of::<Ucd>("UCD", Layout::Library)
    });
    set(vm, m, "UCD", t.value());
    let old = vm.new_instance(t);
    set(vm, m, "ucd_3_2_0", old);
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for c in [0x41, 0xE9, 0x4E00, 0xAC01, 0x1F600, 0x2A6DD] {
            let n = name_of(false, c).expect("has a name");
            assert_eq!(lookup_name(&n), Some(vec![c]), "{n}");
        }
        assert_eq!(lookup_name("latin small letter gha"), Some(vec![0x1A3]));
        assert_eq!(lookup_name("HANGUL SYLLABLE GX"), None);
        assert_eq!(name_of(true, 0x1F600), None);
    }
}
