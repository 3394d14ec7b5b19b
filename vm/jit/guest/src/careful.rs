//! The machine for what the interpreter's handlers leave: [`Core`] once more, with nothing left
//! out. Integers of 64 bits are integers, allocation collects, stores into old objects tell the
//! collector. The handlers are the same, so the meaning of an instruction has one source.

use crate::ints::heap_int;
use crate::vm::Vm;
use crate::{Interp, Language, Machine};
use pyrite_jit_record::drive::out_of_memory;
use pyrite_machine::{Cmp, Core, Ctl, Field, Value};

/// See the module's documentation.
pub struct Careful<L>(pub(crate) Interp<L>);

impl<L: Language> Careful<L> {
    fn barrier(&mut self, p: Value) {
        // SAFETY: the VM is live, and so is the object.
        unsafe { (*self.0.lang).heap.barrier(p.ptr()) };
    }
}

/// Methods that are the interpreter's.
macro_rules! same {
    ($($name:ident($($arg:ident: $t:ty),*) $(-> $r:ty)?;)*) => {
        $(fn $name(&mut self, $($arg: $t),*) $(-> $r)? { self.0.$name($($arg),*) })*
    };
}

fn checked(r: Option<i64>) -> (i64, bool) {
    (r.unwrap_or(0), r.is_none())
}

impl<L: Language> Core for Careful<L> {
    type V = Value;
    type I = i64;
    type F = f64;
    type B = bool;

    same! {
        reg(r: isize) -> Value;
        set_reg(r: isize, v: Value);
        konst(k: usize) -> Value;
        value(v: Value) -> Value;
        int(i: i64) -> i64;
        is_float(v: Value) -> bool;
        is_null(v: Value) -> bool;
        same(a: Value, b: Value) -> bool;
        icmp(op: Cmp, a: i64, b: i64) -> bool;
        below(a: i64, b: i64) -> bool;
        fcmp(op: Cmp, a: f64, b: f64) -> bool;
        has_shape(v: Value, shape: u32) -> bool;
        branch(b: bool) -> bool;
        shape(v: Value) -> u32;
        promote(v: Value) -> Value;
        promote_int(i: i64) -> i64;
        unbox_float(v: Value) -> f64;
        box_float(f: f64) -> Value;
        int_to_float(i: i64) -> f64;
        iadd_wrapping(a: i64, b: i64) -> i64;
        isub_wrapping(a: i64, b: i64) -> i64;
        iand(a: i64, b: i64) -> i64;
        ior(a: i64, b: i64) -> i64;
        ixor(a: i64, b: i64) -> i64;
        imod(a: i64, b: i64) -> i64;
        ishr(a: i64, n: i64) -> i64;
        fadd(a: f64, b: f64) -> f64;
        fsub(a: f64, b: f64) -> f64;
        fmul(a: f64, b: f64) -> f64;
        fdiv(a: f64, b: f64) -> f64;
        fneg(a: f64) -> f64;
        load(p: Value, f: Field) -> Value;
        load_int(p: Value, f: Field) -> i64;
        load_elem(p: Value, f: Field, i: i64) -> Value;
        store_int(p: Value, f: Field, i: i64);
        store_shape(p: Value, shape: u32);
        jump(off: isize);
        poll() -> bool;
    }

    fn is_int(&mut self, v: Value) -> bool {
        v.is_int() || heap_int(v).is_some()
    }
    fn is_ptr(&mut self, v: Value) -> bool {
        v.is_ptr() && heap_int(v).is_none()
    }
    fn unbox_int(&mut self, v: Value) -> i64 {
        heap_int(v).unwrap_or(v.int_value())
    }
    fn box_int(&mut self, i: i64) -> Value {
        // SAFETY: the VM is live.
        let heap = unsafe { (*self.0.lang).heap };
        Vm::<L>::integer(heap, i).unwrap_or_else(|| out_of_memory())
    }
    fn iadd(&mut self, a: i64, b: i64) -> (i64, bool) {
        checked(a.checked_add(b))
    }
    fn isub(&mut self, a: i64, b: i64) -> (i64, bool) {
        checked(a.checked_sub(b))
    }
    fn imul(&mut self, a: i64, b: i64) -> (i64, bool) {
        checked(a.checked_mul(b))
    }
    fn idiv(&mut self, a: i64, b: i64) -> i64 {
        // Unlike the interpreter's, this does not subtract the rest first, which may overflow.
        let q = a / b;
        if self.imod(a, b) != a % b { q - 1 } else { q }
    }
    fn ishl(&mut self, a: i64, n: i64) -> (i64, bool) {
        let r = a << n;
        checked((r >> n == a).then_some(r))
    }
    fn store_blocked(&mut self, _: Value) -> bool {
        false
    }
    fn store(&mut self, p: Value, f: Field, v: Value) {
        self.0.store(p, f, v);
        self.barrier(p);
    }
    fn store_elem(&mut self, p: Value, f: Field, i: i64, v: Value) {
        self.0.store_elem(p, f, i, v);
        self.barrier(p);
    }
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value> {
        // SAFETY: the VM is live.
        Vm::<L>::object(unsafe { (*self.0.lang).heap }, header, words)
    }
}

impl<L: Language> Machine for Careful<L> {
    type Language = L;

    fn lang(&mut self) -> &mut L {
        self.0.lang()
    }
    fn call(&mut self, window: usize, n: usize) -> Ctl {
        self.0.call(window, n)
    }
    fn ret(&mut self, result: Value) -> Ctl {
        self.0.ret(result)
    }
    fn back_edge(&mut self, live: usize, back: usize) -> Ctl {
        self.0.back_edge(live, back)
    }
}
