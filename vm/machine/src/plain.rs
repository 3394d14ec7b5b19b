//! The machine that just runs: [`Core`] as plain operations on a window of words.
//!
//! An interpreter is this with the language's own methods. `X` is what those need;
//! allocation takes from a bump window of two words, next and end, and returns
//! `None` when it is used up. Integers are those of 50 bits: whatever leaves them
//! is reported as overflow.
//!
//! Pyrite's interpreter has an instantiation of its own, whose fields lie in
//! registers between its threaded handlers.

use crate::{Cmp, Core, Field, Header, INT_MAX, INT_MIN, Value};

/// See the module's documentation.
#[derive(Clone, Copy, Debug)]
pub struct Plain<X> {
    /// Next instruction.
    pub pc: *const u64,
    /// Register 0.
    pub base: *mut Value,
    /// Constant 0.
    pub k: *const Value,
    /// Next and end of the allocation window.
    pub window: *mut [u64; 2],
    pub lang: X,
}

fn word(p: Value, f: Field) -> *mut u64 {
    // SAFETY: handlers name fields within objects of the layout they tested.
    unsafe { p.ptr().cast::<u8>().offset(f.offset as isize).cast() }
}

fn compare<T: PartialOrd>(op: Cmp, a: T, b: T) -> bool {
    match op {
        Cmp::Lt => a < b,
        Cmp::Le => a <= b,
        Cmp::Eq => a == b,
        Cmp::Ne => a != b,
        Cmp::Gt => a > b,
        Cmp::Ge => a >= b,
    }
}

fn checked(r: Option<i64>) -> (i64, bool) {
    match r {
        Some(r) => (r, !(INT_MIN..=INT_MAX).contains(&r)),
        None => (0, true),
    }
}

fn modulo(a: i64, b: i64) -> i64 {
    let m = a % b;
    if m != 0 && (m < 0) != (b < 0) {
        m + b
    } else {
        m
    }
}

/// Methods that are one expression.
macro_rules! plain {
    ($($name:ident($($arg:ident: $t:ty),*) -> $r:ty = $e:expr;)*) => {
        $(fn $name(&mut self, $($arg: $t),*) -> $r { $e })*
    };
}

impl<X> Core for Plain<X> {
    type V = Value;
    type I = i64;
    type F = f64;
    type B = bool;

    plain! {
        value(v: Value) -> Value = v;
        int(i: i64) -> i64 = i;
        is_int(v: Value) -> bool = v.is_int();
        is_float(v: Value) -> bool = v.is_float();
        is_ptr(v: Value) -> bool = v.is_ptr();
        is_null(v: Value) -> bool = v.is_null();
        same(a: Value, b: Value) -> bool = a == b;
        icmp(op: Cmp, a: i64, b: i64) -> bool = compare(op, a, b);
        below(a: i64, b: i64) -> bool = (a as u64) < b as u64;
        fcmp(op: Cmp, a: f64, b: f64) -> bool = compare(op, a, b);
        branch(b: bool) -> bool = b;
        promote(v: Value) -> Value = v;
        promote_int(i: i64) -> i64 = i;
        unbox_int(v: Value) -> i64 = v.int_value();
        unbox_float(v: Value) -> f64 = v.float_value();
        box_int(i: i64) -> Value = Value::int_unchecked(i);
        box_float(f: f64) -> Value = Value::float(f);
        int_to_float(i: i64) -> f64 = i as f64;
        iadd(a: i64, b: i64) -> (i64, bool) = checked(a.checked_add(b));
        isub(a: i64, b: i64) -> (i64, bool) = checked(a.checked_sub(b));
        imul(a: i64, b: i64) -> (i64, bool) = checked(a.checked_mul(b));
        iadd_wrapping(a: i64, b: i64) -> i64 = a.wrapping_add(b);
        isub_wrapping(a: i64, b: i64) -> i64 = a.wrapping_sub(b);
        idiv(a: i64, b: i64) -> i64 = (a - modulo(a, b)) / b;
        imod(a: i64, b: i64) -> i64 = modulo(a, b);
        iand(a: i64, b: i64) -> i64 = a & b;
        ior(a: i64, b: i64) -> i64 = a | b;
        ixor(a: i64, b: i64) -> i64 = a ^ b;
        ishl(a: i64, n: i64) -> (i64, bool) = {
            let r = a.wrapping_shl(n as u32);
            checked((r >> n == a).then_some(r))
        };
        ishr(a: i64, n: i64) -> i64 = a >> n;
        fadd(a: f64, b: f64) -> f64 = a + b;
        fsub(a: f64, b: f64) -> f64 = a - b;
        fmul(a: f64, b: f64) -> f64 = a * b;
        fdiv(a: f64, b: f64) -> f64 = a / b;
        fneg(a: f64) -> f64 = -a;
        poll() -> bool = false;
    }

    fn reg(&mut self, r: isize) -> Value {
        // SAFETY: the compiler names registers within the window.
        unsafe { *self.base.offset(r) }
    }
    fn set_reg(&mut self, r: isize, v: Value) {
        // SAFETY: as above.
        unsafe { *self.base.offset(r) = v }
    }
    fn konst(&mut self, k: usize) -> Value {
        // SAFETY: the compiler names constants that exist.
        unsafe { *self.k.add(k) }
    }
    fn has_shape(&mut self, v: Value, shape: u32) -> bool {
        self.shape(v) == shape
    }
    fn shape(&mut self, v: Value) -> u32 {
        // SAFETY: handlers tested that `v` is an object.
        Header::shape(unsafe { *v.ptr() })
    }
    fn load(&mut self, p: Value, f: Field) -> Value {
        // SAFETY: see `word`.
        Value::from_bits(unsafe { *word(p, f) })
    }
    fn load_int(&mut self, p: Value, f: Field) -> i64 {
        // SAFETY: see `word`.
        unsafe { *word(p, f) as i64 }
    }
    fn load_elem(&mut self, p: Value, f: Field, i: i64) -> Value {
        // SAFETY: handlers tested the index.
        Value::from_bits(unsafe { *word(p, f).offset(i as isize) })
    }
    fn store_blocked(&mut self, p: Value) -> bool {
        // SAFETY: `p` is an object.
        unsafe { *p.ptr() & Header::OLD != 0 }
    }
    fn store(&mut self, p: Value, f: Field, v: Value) {
        // SAFETY: see `word`.
        unsafe { *word(p, f) = v.bits() }
    }
    fn store_int(&mut self, p: Value, f: Field, i: i64) {
        // SAFETY: see `word`.
        unsafe { *word(p, f) = i as u64 }
    }
    fn store_elem(&mut self, p: Value, f: Field, i: i64, v: Value) {
        // SAFETY: handlers tested the index.
        unsafe { *word(p, f).offset(i as isize) = v.bits() }
    }
    fn store_shape(&mut self, p: Value, shape: u32) {
        // SAFETY: `p` is a live object; only the upper half of its header changes.
        unsafe {
            *p.ptr() = *p.ptr() & 0xFFFF_FFFF | u64::from(shape) << Header::SHAPE_SHIFT;
        }
    }
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value> {
        let bytes = (words.div_ceil(2) * Header::GRANULE) as u64;
        // SAFETY: the window is the heap's and nobody else's.
        let [cur, lim] = unsafe { &mut *self.window };
        if lim.wrapping_sub(*cur) < bytes {
            return None;
        }
        let at = *cur;
        *cur += bytes;
        // SAFETY: within the window.
        unsafe { *(at as *mut u64) = header };
        Some(Value::from_bits(at))
    }
    fn jump(&mut self, off: isize) {
        // SAFETY: the compiler's offsets stay within the code.
        self.pc = unsafe { self.pc.offset(off) };
    }
}
