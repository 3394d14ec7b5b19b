//! The interpreter's machine: every method is the plain operation.

use crate::lang::{Attr, AttrStore, Callee, FRAME_OBJECT, Known, PyMachine, Stage, slot_field};
use crate::state::State;
use pyrite_bytecode::{CmpOp, Ins};
use pyrite_machine::{Cmp, Core, Ctl, Field, Header, INT_MAX, INT_MIN, Value};
use pyrite_objects::code::{CodeData, Ic, ic};
use pyrite_objects::layout::{Gc, Layout, PyDict, PyFunction, PyModule, PyType};
use pyrite_objects::ops::{BinOp, floor_div, floor_mod};
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::Vm;
use std::sync::atomic::Ordering;

/// The running frame, held in machine registers by the handlers.
pub struct Interp {
    /// Next instruction.
    pub pc: *const u64,
    /// Register 0.
    pub base: *mut Value,
    /// Constant 0.
    pub k: *mut Value,
    pub vm: *mut Vm,
}

impl Interp {
    #[inline(always)]
    fn state(&self) -> &'static State {
        // SAFETY: installed at boot, never freed.
        unsafe { &*(*self.vm).interp.cast::<State>() }
    }

    /// Inline cache `i` of the running code.
    #[inline(always)]
    pub fn ic(&self, i: usize) -> &'static Ic {
        // SAFETY: the word below constant 0 is the address of the caches.
        unsafe { &*(*self.k.sub(1).cast::<*const Ic>()).add(i) }
    }

    #[inline(always)]
    fn word(p: Value, f: Field) -> *mut u64 {
        // SAFETY: handlers name fields within objects of the layout they tested.
        unsafe { p.ptr().cast::<u8>().offset(f.offset as isize).cast() }
    }

    /// Code of the running frame.
    #[inline(always)]
    pub fn code_data(&self) -> &'static mut CodeData {
        // SAFETY: the second word below constant 0 is the code's data.
        unsafe { &mut **self.k.sub(2).cast::<*mut CodeData>() }
    }
}

/// Return address word: instruction pointer, stage in the top 16 bits.
#[inline(always)]
pub fn return_word(pc: *const u64, stage: Stage) -> Value {
    Value::from_bits(pc as u64 | (stage as u64) << 48)
}

/// Constants pointer and distance to the caller's window, in one word.
#[inline(always)]
pub fn link_word(k: *mut Value, delta: isize) -> Value {
    Value::from_bits(k as u64 | (delta as u64) << 48)
}

impl Core for Interp {
    type V = Value;
    type I = i64;
    type F = f64;
    type B = bool;

    #[inline(always)]
    fn reg(&mut self, r: isize) -> Value {
        // SAFETY: the compiler names registers within the window.
        unsafe { *self.base.offset(r) }
    }
    #[inline(always)]
    fn set_reg(&mut self, r: isize, v: Value) {
        // SAFETY: as above.
        unsafe { *self.base.offset(r) = v }
    }
    #[inline(always)]
    fn konst(&mut self, k: usize) -> Value {
        // SAFETY: the compiler names constants that exist.
        unsafe { *self.k.add(k) }
    }
    #[inline(always)]
    fn value(&mut self, v: Value) -> Value {
        v
    }
    #[inline(always)]
    fn int(&mut self, i: i64) -> i64 {
        i
    }
    #[inline(always)]
    fn is_int(&mut self, v: Value) -> bool {
        v.is_int()
    }
    #[inline(always)]
    fn is_float(&mut self, v: Value) -> bool {
        v.is_float()
    }
    #[inline(always)]
    fn is_ptr(&mut self, v: Value) -> bool {
        v.is_ptr()
    }
    #[inline(always)]
    fn is_null(&mut self, v: Value) -> bool {
        v.is_null()
    }
    #[inline(always)]
    fn same(&mut self, a: Value, b: Value) -> bool {
        a == b
    }
    #[inline(always)]
    fn icmp(&mut self, op: Cmp, a: i64, b: i64) -> bool {
        match op {
            Cmp::Lt => a < b,
            Cmp::Le => a <= b,
            Cmp::Eq => a == b,
            Cmp::Ne => a != b,
            Cmp::Gt => a > b,
            Cmp::Ge => a >= b,
        }
    }
    #[inline(always)]
    fn below(&mut self, a: i64, b: i64) -> bool {
        (a as u64) < b as u64
    }
    #[inline(always)]
    fn fcmp(&mut self, op: Cmp, a: f64, b: f64) -> bool {
        match op {
            Cmp::Lt => a < b,
            Cmp::Le => a <= b,
            Cmp::Eq => a == b,
            Cmp::Ne => a != b,
            Cmp::Gt => a > b,
            Cmp::Ge => a >= b,
        }
    }
    #[inline(always)]
    fn has_shape(&mut self, v: Value, shape: u32) -> bool {
        // SAFETY: handlers tested that `v` is an object.
        Header::shape(unsafe { *v.ptr() }) == shape
    }
    #[inline(always)]
    fn branch(&mut self, b: bool) -> bool {
        b
    }
    #[inline(always)]
    fn shape(&mut self, v: Value) -> u32 {
        // SAFETY: as above.
        Header::shape(unsafe { *v.ptr() })
    }
    #[inline(always)]
    fn promote(&mut self, v: Value) -> Value {
        v
    }
    #[inline(always)]
    fn promote_int(&mut self, i: i64) -> i64 {
        i
    }
    #[inline(always)]
    fn unbox_int(&mut self, v: Value) -> i64 {
        v.int_value()
    }
    #[inline(always)]
    fn unbox_float(&mut self, v: Value) -> f64 {
        v.float_value()
    }
    #[inline(always)]
    fn box_int(&mut self, i: i64) -> Value {
        Value::int_unchecked(i)
    }
    #[inline(always)]
    fn box_float(&mut self, f: f64) -> Value {
        Value::float(f)
    }
    #[inline(always)]
    fn int_to_float(&mut self, i: i64) -> f64 {
        i as f64
    }
    #[inline(always)]
    fn iadd(&mut self, a: i64, b: i64) -> (i64, bool) {
        // Both fit 50 bits: the sum is exact, and one word compare finds whether
        // it still does.
        let r = a.wrapping_add(b);
        (r, !(INT_MIN..=INT_MAX).contains(&r))
    }
    #[inline(always)]
    fn isub(&mut self, a: i64, b: i64) -> (i64, bool) {
        let r = a.wrapping_sub(b);
        (r, !(INT_MIN..=INT_MAX).contains(&r))
    }
    #[inline(always)]
    fn imul(&mut self, a: i64, b: i64) -> (i64, bool) {
        let (r, o) = a.overflowing_mul(b);
        (r, o || !(INT_MIN..=INT_MAX).contains(&r))
    }
    #[inline(always)]
    fn iadd_wrapping(&mut self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn isub_wrapping(&mut self, a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn idiv(&mut self, a: i64, b: i64) -> i64 {
        floor_div(a, b)
    }
    #[inline(always)]
    fn imod(&mut self, a: i64, b: i64) -> i64 {
        floor_mod(a, b)
    }
    #[inline(always)]
    fn iand(&mut self, a: i64, b: i64) -> i64 {
        a & b
    }
    #[inline(always)]
    fn ior(&mut self, a: i64, b: i64) -> i64 {
        a | b
    }
    #[inline(always)]
    fn ixor(&mut self, a: i64, b: i64) -> i64 {
        a ^ b
    }
    #[inline(always)]
    fn ishl(&mut self, a: i64, n: i64) -> (i64, bool) {
        // 50 bits shifted by less than 16 stay within 66; a wrapped result does
        // not shift back.
        let r = a.wrapping_shl(n as u32);
        (r, r >> n != a || !(INT_MIN..=INT_MAX).contains(&r))
    }
    #[inline(always)]
    fn ishr(&mut self, a: i64, n: i64) -> i64 {
        a >> n
    }
    #[inline(always)]
    fn fadd(&mut self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn fsub(&mut self, a: f64, b: f64) -> f64 {
        a - b
    }
    #[inline(always)]
    fn fmul(&mut self, a: f64, b: f64) -> f64 {
        a * b
    }
    #[inline(always)]
    fn fdiv(&mut self, a: f64, b: f64) -> f64 {
        a / b
    }
    #[inline(always)]
    fn fneg(&mut self, a: f64) -> f64 {
        -a
    }
    #[inline(always)]
    fn load(&mut self, p: Value, f: Field) -> Value {
        // SAFETY: see `word`.
        Value::from_bits(unsafe { *Interp::word(p, f) })
    }
    #[inline(always)]
    fn load_int(&mut self, p: Value, f: Field) -> i64 {
        // SAFETY: see `word`.
        unsafe { *Interp::word(p, f) as i64 }
    }
    #[inline(always)]
    fn load_elem(&mut self, p: Value, f: Field, i: i64) -> Value {
        // SAFETY: handlers tested the index against the array's length.
        Value::from_bits(unsafe { *Interp::word(p, f).offset(i as isize) })
    }
    #[inline(always)]
    fn store_blocked(&mut self, p: Value) -> bool {
        // SAFETY: `p` is an object.
        unsafe { *p.ptr() & Header::OLD != 0 }
    }
    #[inline(always)]
    fn store(&mut self, p: Value, f: Field, v: Value) {
        // SAFETY: see `word`.
        unsafe { *Interp::word(p, f) = v.bits() }
    }
    #[inline(always)]
    fn store_int(&mut self, p: Value, f: Field, i: i64) {
        // SAFETY: see `word`.
        unsafe { *Interp::word(p, f) = i as u64 }
    }
    #[inline(always)]
    fn store_elem(&mut self, p: Value, f: Field, i: i64, v: Value) {
        // SAFETY: handlers tested the index.
        unsafe { *Interp::word(p, f).offset(i as isize) = v.bits() }
    }
    #[inline(always)]
    fn store_shape(&mut self, p: Value, shape: u32) {
        pyrite_objects::shape::set_shape(p, shape);
    }
    #[inline(always)]
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value> {
        let bytes = (words.div_ceil(2) * 16) as u64;
        // SAFETY: the bump window belongs to the VM's heap.
        unsafe {
            let a = &raw mut (*self.vm).alloc;
            let at = (*a).cur;
            if (*a).lim.wrapping_sub(at) < bytes {
                return None;
            }
            (*a).cur = at + bytes;
            *(at as *mut u64) = header;
            Some(Value::from_bits(at))
        }
    }
    #[inline(always)]
    fn jump(&mut self, off: isize) {
        // SAFETY: the compiler's offsets stay within the code.
        self.pc = unsafe { self.pc.offset(off) };
    }
    #[inline(always)]
    fn poll(&mut self) -> bool {
        // SAFETY: the VM is live.
        unsafe { (*self.vm).polled() }
    }
}

/// True if the class or module that a cache was filled for is as it was then.
#[inline(always)]
fn version_fits(c: &Ic, v: Value) -> bool {
    match c.kind {
        ic::TYPE_VALUE | ic::TYPE_METHOD => class_fits(c, v),
        ic::MODULE => module_dict(v).keys_version.get() == c.extra,
        _ => true,
    }
}

/// True if `v` is the class that the cache was filled for, unchanged.
#[inline(always)]
fn class_fits(c: &Ic, v: Value) -> bool {
    shape_of(v).layout == Layout::Type
        // SAFETY: a class's data is never freed.
        && unsafe { (*Gc::<PyType>::from_value(v).data.get()).version } == c.extra
}

#[inline(always)]
fn module_dict(v: Value) -> Gc<PyDict> {
    Gc::from_value(Gc::<PyModule>::from_value(v).dict.get())
}

impl PyMachine for Interp {
    #[inline(always)]
    fn known(&self) -> &'static Known {
        &self.state().known
    }

    #[inline(always)]
    fn attr(&mut self, i: usize, v: Value, full: bool) -> Attr<Value> {
        let c = self.ic(i);
        let fits = shape_of(v).tag == c.tag;
        if !full {
            if !fits {
                return Attr::Miss;
            }
            return match c.kind {
                ic::SLOT => Attr::Slot(slot_field(c.slot as usize)),
                ic::METHOD => Attr::Method(c.value),
                ic::VALUE => Attr::Value(c.value),
                ic::OVERFLOW => Attr::Overflow(slot_field(c.extra as usize), c.slot as usize),
                _ => Attr::Miss,
            };
        }
        let c = if fits && version_fits(c, v) {
            c
        } else {
            // SAFETY: the VM is live, one thread holds it; caches outlive the handler.
            unsafe { &*crate::ic::lookup_load(&mut *self.vm, self.base, i, v) }
        };
        match c.kind {
            ic::SLOT => Attr::Slot(slot_field(c.slot as usize)),
            ic::MEMBER => Attr::Member(slot_field(c.slot as usize)),
            ic::METHOD => Attr::Method(c.value),
            ic::VALUE | ic::TYPE_VALUE => Attr::Value(c.value),
            ic::OVERFLOW => Attr::Overflow(slot_field(c.extra as usize), c.slot as usize),
            ic::PROPERTY => Attr::Property(c.value),
            ic::CLASS_METHOD => Attr::ClassMethod(c.value, shape_of(v).class),
            ic::TYPE_METHOD => Attr::ClassMethod(c.value, v),
            ic::MODULE => Attr::Loaded(module_dict(v).entry(c.slot as usize).2),
            _ => Attr::Miss,
        }
    }

    #[inline(always)]
    fn attr_store(&mut self, i: usize, v: Value, full: bool) -> AttrStore {
        let c = self.ic(i);
        let fits = shape_of(v).tag == c.tag;
        if !full {
            if !fits {
                return AttrStore::Miss;
            }
            return match c.kind {
                ic::SLOT => AttrStore::Slot(slot_field(c.slot as usize)),
                ic::ADD_SLOT => AttrStore::Add(slot_field(c.slot as usize), c.extra),
                _ => AttrStore::Miss,
            };
        }
        let c = if fits {
            c
        } else {
            // SAFETY: as for reading.
            unsafe { &*crate::ic::lookup_store(&mut *self.vm, self.base, i, v) }
        };
        match c.kind {
            ic::SLOT => AttrStore::Slot(slot_field(c.slot as usize)),
            ic::OVERFLOW => AttrStore::Overflow(slot_field(c.extra as usize), c.slot as usize),
            ic::ADD_SLOT => AttrStore::Add(slot_field(c.slot as usize), c.extra),
            ic::SETTER => AttrStore::Setter(c.value),
            _ => AttrStore::Miss,
        }
    }

    #[inline(always)]
    fn super_method(&mut self, i: usize, class: Value, this: Value) -> Option<Value> {
        let mut c = self.ic(i);
        if shape_of(this).tag != c.tag || c.kind != ic::SUPER || !class_fits(c, class) {
            // SAFETY: as for reading attributes.
            c = unsafe { &*crate::ic::lookup_super(&mut *self.vm, self.base, i, class, this) };
        }
        (c.kind == ic::SUPER).then_some(c.value)
    }

    #[inline(always)]
    fn binary_method(&mut self, op: BinOp, inplace: bool, x: Value, y: Value) -> Option<Value> {
        if !x.is_ptr() {
            return None;
        }
        // SAFETY: the VM is live, one thread holds it.
        let f = unsafe { (*self.vm).binary_start(op, x, y, inplace) };
        f.is_some().then_some(f)
    }

    #[inline(always)]
    fn compare_method(&mut self, op: CmpOp, x: Value, y: Value) -> Option<Value> {
        if !x.is_ptr() || shape_of(x).layout == Layout::Str {
            return None;
        }
        // SAFETY: the VM is live, one thread holds it.
        let f = unsafe { (*self.vm).compare_start(op, x, y) };
        f.is_some().then_some(f)
    }

    #[inline(always)]
    fn item_method(&mut self, x: Value, store: bool) -> Option<Value> {
        // SAFETY: the VM is live, one thread holds it.
        crate::ic::decide_item(unsafe { &mut *self.vm }, x, store)
    }

    #[inline(always)]
    fn always_true(&mut self, v: Value) -> bool {
        // SAFETY: the VM is live, one thread holds it.
        crate::ic::decide_always_true(unsafe { &mut *self.vm }, v)
    }

    #[inline(always)]
    fn isinstance(&mut self, v: Value, class: Value) -> Option<bool> {
        // SAFETY: the VM is live, one thread holds it.
        crate::ic::decide_isinstance(unsafe { &mut *self.vm }, v, class)
    }

    #[inline(always)]
    fn str_eq(&mut self, a: Value, b: Value) -> i64 {
        // SAFETY: the VM is live, one thread holds it.
        i64::from(unsafe { (*self.vm).str_eq(a, b) })
    }

    #[inline(always)]
    fn str_char(&mut self, s: Value, i: i64) -> Value {
        // SAFETY: the VM is live, one thread holds it.
        unsafe { (*self.vm).str_char(s, i) }
    }

    #[inline(always)]
    fn contains(&mut self, c: Value, item: Value) -> i64 {
        // SAFETY: the VM is live, one thread holds it.
        unsafe { (*self.vm).contains_plain(c, item) }
    }

    #[inline(always)]
    fn dict_find(&mut self, d: Value, key: Value) -> Value {
        // SAFETY: the VM is live, one thread holds it.
        unsafe { (*self.vm).dict_find(d, key) }
    }

    #[inline(always)]
    fn dict_place(&mut self, d: Value, key: Value) -> i64 {
        // SAFETY: the VM is live, one thread holds it.
        unsafe { (*self.vm).dict_place(d, key) }
    }

    #[inline(always)]
    fn dict_put(&mut self, d: Value, entry: i64, v: Value) {
        // SAFETY: the VM is live, one thread holds it.
        unsafe { (*self.vm).dict_entry_set(d, entry as usize, v) }
    }

    #[inline(always)]
    fn unblock(&mut self, p: Value) {
        // SAFETY: the VM is live, one thread holds it.
        unsafe { (*self.vm).write_barrier(p) }
    }

    #[inline(always)]
    fn global(&mut self, i: usize) -> Option<Value> {
        let c = self.ic(i);
        let f: Gc<PyFunction> = Gc::from_value(self.reg(-4));
        let g: Gc<PyDict> = Gc::from_value(f.globals.get());
        if g.keys_version.get() != c.tag || c.kind < ic::GLOBAL {
            return None;
        }
        if c.kind == ic::GLOBAL {
            return Some(g.entry(c.slot as usize).2);
        }
        // SAFETY: the VM is live.
        let b: Gc<PyDict> = Gc::from_value(unsafe { (*self.vm).builtins });
        if b.keys_version.get() != c.extra {
            return None;
        }
        Some(b.entry(c.slot as usize).2)
    }

    #[inline(always)]
    fn callee(&mut self, f: Value, classes: bool) -> Callee {
        let s = shape_of(f);
        if s.layout == Layout::Function {
            // SAFETY: a function's code data is never freed.
            return Callee::Function(unsafe { &*Gc::<PyFunction>::from_value(f).code_data.get() });
        }
        if classes && s.layout == Layout::Native {
            return crate::ic::intrinsic_of(f);
        }
        if classes && s.layout == Layout::Type {
            // SAFETY: the VM is live.
            if f == unsafe { (*self.vm).types.range.value() } {
                return Callee::Range;
            }
            // SAFETY: the VM is live; one thread holds it.
            return crate::calls::class_callee(unsafe { &mut *self.vm }, f);
        }
        Callee::Other
    }

    #[inline(always)]
    fn room(&mut self, window: isize, frame_size: u32) -> bool {
        // SAFETY: the VM is live; the address is only compared.
        unsafe {
            let end = self.base.offset(window + frame_size as isize) as u64;
            end < (*self.vm).stack_soft.load(Ordering::Relaxed)
        }
    }

    #[inline(always)]
    fn push_frame(&mut self, window: isize, code: &'static CodeData, args: u32, stage: Stage) {
        // SAFETY: `room` said that the window fits.
        unsafe {
            let base = self.base.offset(window);
            *base.sub(3) = return_word(self.pc, stage);
            *base.sub(2) = link_word(self.k, window);
            *base.sub(1) = Value::NULL;
            for i in args..code.locals {
                *base.add(i as usize) = Value::NULL;
            }
            self.base = base;
        }
        self.pc = code.entry;
        self.k = code.consts;
        let calls = code.calls.get() - 1;
        code.calls.set(calls);
        if calls < 0 {
            self.pc = self.state().enter.as_ptr();
        }
    }

    #[inline(always)]
    fn push_frame_at(
        &mut self,
        window: isize,
        code: &'static CodeData,
        pc: *const u64,
        stage: Stage,
    ) {
        // SAFETY: `room` said that the window fits.
        unsafe {
            let base = self.base.offset(window);
            *base.sub(3) = return_word(self.pc, stage);
            *base.sub(2) = link_word(self.k, window);
            *base.sub(1) = Value::NULL;
            self.base = base;
        }
        self.pc = pc;
        self.k = code.consts;
    }

    #[inline(always)]
    fn peek_return(&mut self) -> Option<(Stage, Ins)> {
        let ret = self.reg(-3).bits();
        let stage = Stage::from_bits(ret >> 48);
        if ret & FRAME_OBJECT != 0 || matches!(stage, Stage::Root | Stage::RootGen) {
            return None;
        }
        let pc = (ret & 0xFFFF_FFFF_FFFF) as *const u64;
        // SAFETY: the return address is behind the calling instruction.
        Some((stage, Ins(unsafe { *pc.sub(1) })))
    }

    #[inline(always)]
    fn pop_frame(&mut self) {
        let ret = self.reg(-3).bits();
        let link = self.reg(-2).bits();
        self.pc = (ret & 0xFFFF_FFFF_FFFF) as *const u64;
        self.k = (link & 0xFFFF_FFFF_FFFF) as *mut Value;
        // SAFETY: the caller's window lies that far below.
        self.base = unsafe { self.base.sub((link >> 48) as usize) };
    }

    #[inline(always)]
    fn loop_edge(&mut self, ins: Ins) -> Ctl {
        let code = self.code_data();
        // SAFETY: the compiler names loops that exist.
        let l = unsafe { code.loops.get_unchecked_mut(ins.b()) };
        l.counter -= 1;
        if l.counter < 0 {
            return Ctl::Slow;
        }
        self.pc = l.header;
        Ctl::Next
    }

    #[inline(always)]
    fn code(&mut self) -> &'static CodeData {
        self.code_data()
    }

    #[inline(always)]
    fn pc(&mut self) -> *const u64 {
        self.pc
    }

    #[inline(always)]
    fn function_code(&mut self, f: Value) -> &'static CodeData {
        // SAFETY: a function's code data is never freed.
        unsafe { &*Gc::<PyFunction>::from_value(f).code_data.get() }
    }

    #[inline(always)]
    fn may_resume(&mut self, _code: &'static CodeData) -> bool {
        true
    }

    #[inline(always)]
    fn handled(&mut self) -> Value {
        // SAFETY: the VM is live.
        unsafe { (*self.vm).handled }
    }

    #[inline(always)]
    fn set_handled(&mut self, v: Value) {
        // SAFETY: the VM is live.
        unsafe { (*self.vm).handled = v }
    }
}
