//! The machine's two instantiations, and the slow ways.

use crate::compile::{Code, HEADER, Op, cmp, compile};
use crate::ops::{INT, OBJECT, SLOTS, Tiny, WORDS, code_at, op, operands, slot, step};
use pyrite_gc::{AllocState, Config, Heap, KindInfo, RootSource, RootVec, Tracer};
use pyrite_jit_record::drive::{Counts, Driver, Guest, Params, Place, at_loop};
use pyrite_jit_record::{Abort, Host, Recorder, Word};
use pyrite_machine::plain::Plain;
use pyrite_machine::{Cmp, Core, Ctl, Header, Value};

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub output: String,
    pub error: Option<String>,
}

/// The VM's state. Compiled code reads the first words.
#[repr(C)]
pub struct Vm {
    alloc: AllocState,
    activation: *mut u8,
    /// Where a trace that returns leaves its word.
    result: u64,
    place: Place,
    driver: *mut Driver,
    heap: Heap,
    /// Names of attributes in order, by shape from `OBJECT` on.
    shapes: Vec<Vec<usize>>,
    functions: Vec<*const Code>,
    stack: Vec<Value>,
    output: String,
}

const STACK: usize = 1 << 14;

unsafe fn trace_object(p: *mut u64, t: &mut Tracer) {
    // SAFETY: the slots of an object.
    unsafe { t.range(p.add(1).cast(), p.add(WORDS).cast()) }
}

static KINDS: [KindInfo; 2] = [
    KindInfo::leaf("int"),
    KindInfo::traced("object", trace_object),
];

struct Roots(*mut Vm);

impl RootSource for Roots {
    fn exact(&mut self, t: &mut Tracer) {
        // SAFETY: the VM outlives its heap; the stack holds value words.
        unsafe {
            let (lo, top) = (
                (*self.0).stack.as_mut_ptr(),
                (*self.0).alloc.top as *mut Value,
            );
            t.range(lo, top);
            // What lies above is dead, and must never be mistaken later.
            top.write_bytes(0, lo.add(STACK).offset_from(top) as usize);
        }
    }
}

/// Runs a program: with the JIT if it has parameters.
///
/// # Errors
/// What the compiler refuses, or when there is no memory to begin with.
pub fn run(text: &str, gc: Config, jit: Option<Params>) -> Result<(Outcome, Counts), String> {
    let (codes, _) = compile(text)?;
    let heap = Heap::new(gc, &KINDS).map_err(|e| e.to_string())?;
    let mut vm = Box::new(Vm {
        alloc: AllocState::new(),
        activation: std::ptr::null_mut(),
        result: 0,
        place: Place {
            pc: std::ptr::null(),
            base: std::ptr::null_mut(),
        },
        driver: std::ptr::null_mut(),
        heap,
        shapes: vec![Vec::new()],
        functions: Vec::new(),
        stack: vec![Value::NULL; STACK],
        output: String::new(),
    });
    vm.functions = codes
        .into_iter()
        .map(|c| &*Box::leak(Box::new(c)) as *const Code)
        .collect();
    let p: *mut Vm = &mut *vm;
    // SAFETY: the VM stays in place until the heap is destroyed below.
    unsafe {
        heap.attach(&raw mut (*p).alloc);
        heap.set_roots(Box::into_raw(Box::new(Roots(p))));
    }
    if let Some(params) = jit {
        vm.driver = Box::into_raw(Box::new(Driver::new::<Vm>(heap, params)?));
    }
    // SAFETY: `p` is alive; one thread uses it.
    let error = unsafe { interpret(p) }.err();
    let counts = if vm.driver.is_null() {
        Counts::default()
    } else {
        // SAFETY: made above, not used any more.
        unsafe { Box::from_raw(vm.driver) }.counts.clone()
    };
    // SAFETY: nothing of the heap is used any more.
    unsafe { heap.destroy() };
    Ok((
        Outcome {
            output: std::mem::take(&mut vm.output),
            error,
        },
        counts,
    ))
}

type Interp = Plain<*mut Vm>;

/// # Safety
/// `vm` is live and nobody else's.
unsafe fn interpret(vm: *mut Vm) -> Result<(), String> {
    // SAFETY: as the caller promises; references end before anything else uses the VM.
    let (main, stack) = unsafe { (&*(&(*vm).functions)[0], (*vm).stack.as_mut_ptr()) };
    // SAFETY: the stack is large enough for the first frame.
    let base = unsafe { stack.add(HEADER as usize) };
    let mut m = Interp {
        pc: main.instrs.as_ptr(),
        base,
        k: main.consts.as_ptr(),
        window: vm.cast(),
        lang: vm,
    };
    // SAFETY: as above.
    unsafe { *base.sub(2) = Value::from_ptr(main) };
    loop {
        // SAFETY: code ends in `Return`.
        let ins = unsafe { *m.pc };
        m.jump(1);
        if step(&mut m, ins) == Ctl::Slow {
            // SAFETY: as above.
            let vm = unsafe { &mut *vm };
            vm.set_top(m.base.wrapping_add(code_at(m.base).size as usize));
            if op(ins) == Op::Return {
                return Ok(());
            }
            slow(vm, &mut m, ins).map_err(|e| format!("{}: {e}", code_at(m.base).name))?;
        }
    }
}

#[derive(Clone, Copy)]
enum Num {
    I(i64),
    F(f64),
}

fn number(v: Value) -> Option<Num> {
    // SAFETY: a pointer value names a live object.
    let big = |v: Value| unsafe {
        (Header::shape(*v.ptr()) == INT.1).then(|| Num::I(*v.ptr().add(1) as i64))
    };
    match v.as_int() {
        Some(i) => Some(Num::I(i)),
        None if v.is_float() => Some(Num::F(v.float_value())),
        None if v.is_ptr() => big(v),
        None => None,
    }
}

fn double(n: Num) -> f64 {
    match n {
        Num::I(i) => i as f64,
        Num::F(f) => f,
    }
}

/// What the handlers leave.
fn slow(vm: &mut Vm, m: &mut Interp, ins: u64) -> Result<(), String> {
    let (a, b, c) = operands(ins);
    let (o, r) = (op(ins), |n: usize| n as isize);
    match o {
        Op::New => {
            let p = vm
                .heap
                .alloc(OBJECT.0, WORDS, OBJECT.1)
                .ok_or("out of memory")?;
            m.set_reg(r(a), Value::from_ptr(p.as_ptr()));
        }
        Op::Store => {
            let (p, v) = (m.reg(r(a)), m.reg(r(c)));
            let shape = if p.is_ptr() { m.shape(p) } else { 0 };
            let (n, add) = vm.attribute(shape, b).ok_or("no such attribute")?;
            m.store(p, slot(n), v);
            // SAFETY: a live object.
            unsafe { vm.heap.barrier(p.ptr()) };
            if let Some(shape) = add {
                m.store_shape(p, shape);
            }
        }
        Op::Print => {
            let v = m.reg(r(a));
            vm.output += &match number(v) {
                Some(Num::I(i)) => format!("{i}\n"),
                Some(Num::F(f)) => format!("{f:?}\n"),
                None if v.is_null() => "None\n".to_owned(),
                None => "object\n".to_owned(),
            };
        }
        Op::Lt | Op::Le | Op::Eq => {
            let (x, y) = (m.reg(r(a & 0x7FFF)), m.reg(r(b)));
            let t = match (number(x), number(y)) {
                (Some(Num::I(x)), Some(Num::I(y))) => m.icmp(cmp(o), x, y),
                (Some(x), Some(y)) => m.fcmp(cmp(o), double(x), double(y)),
                _ if cmp(o) == Cmp::Eq => x == y,
                _ => return Err("no order".into()),
            };
            if t == (a >> 15 != 0) {
                m.jump(r(c));
            }
        }
        Op::Load => return Err("no such attribute".into()),
        Op::Call => return Err("too many calls".into()),
        _ => {
            let x = if o == Op::Neg {
                Value::small(0)
            } else {
                m.reg(r(b))
            };
            let y = m.reg(r(if o == Op::Neg { b } else { c }));
            let (Some(x), Some(y)) = (number(x), number(y)) else {
                return Err("no number".into());
            };
            let v = match (x, y) {
                (Num::I(x), Num::I(y)) => {
                    let v = match o {
                        Op::Add => x.checked_add(y),
                        Op::Sub | Op::Neg => x.checked_sub(y),
                        Op::Mul => x.checked_mul(y),
                        Op::And => Some(x & y),
                        Op::Or => Some(x | y),
                        Op::Xor => Some(x ^ y),
                        Op::Mod if y > 0 => Some(x.rem_euclid(y)),
                        Op::FloorDiv if y > 0 => Some(x.div_euclid(y)),
                        Op::Div if y != 0 => {
                            m.set_reg(r(a), Value::float(x as f64 / y as f64));
                            return Ok(());
                        }
                        _ => None,
                    };
                    vm.integer(v.ok_or("not an integer of 64 bits")?)
                }
                _ if o == Op::Div && double(y) != 0.0 => Value::float(double(x) / double(y)),
                _ if o == Op::Add => Value::float(double(x) + double(y)),
                _ if o == Op::Sub => Value::float(double(x) - double(y)),
                _ if o == Op::Mul => Value::float(double(x) * double(y)),
                _ => return Err("not for floats".into()),
            };
            m.set_reg(r(a), v);
        }
    }
    Ok(())
}

impl Vm {
    fn integer(&mut self, i: i64) -> Value {
        Value::try_int(i).unwrap_or_else(|| {
            let p = self
                .heap
                .alloc(INT.0, 2, INT.1)
                .expect("the heap has no limit");
            // SAFETY: the word behind the header.
            unsafe { *p.as_ptr().add(1) = i as u64 };
            Value::from_ptr(p.as_ptr())
        })
    }

    fn attribute(&mut self, shape: u32, name: usize) -> Option<(usize, Option<u32>)> {
        let names = self.shapes.get(shape.checked_sub(OBJECT.1)? as usize)?;
        if let Some(n) = names.iter().position(|n| *n == name) {
            return Some((n, None));
        }
        let n = names.len();
        let mut longer = names.clone();
        longer.push(name);
        let at = self
            .shapes
            .iter()
            .position(|s| *s == longer)
            .unwrap_or_else(|| {
                self.shapes.push(longer);
                self.shapes.len() - 1
            });
        (n < SLOTS).then_some((n, Some(at as u32 + OBJECT.1)))
    }
}

/// Return address, code and caller's window of a call from `base`.
fn header(pc: *const u64, code: &Code, window: isize) -> [Value; 3] {
    [
        Value::from_ptr(pc),
        Value::from_ptr(code),
        Value::small(window as i32),
    ]
}

impl Tiny for Interp {
    fn attribute(&mut self, shape: u32, name: usize) -> Option<(usize, Option<u32>)> {
        // SAFETY: the VM is live.
        unsafe { (*self.lang).attribute(shape, name) }
    }
    fn call(&mut self, window: isize, n: usize) -> Ctl {
        // SAFETY: the VM and its code are live.
        let (code, vm) = unsafe { (&*(&(*self.lang).functions)[n], &mut *self.lang) };
        if !vm.fits(self.base.wrapping_offset(window), i32::from(code.size)) {
            return Ctl::Slow;
        }
        for (i, v) in (1..).zip(header(self.pc, code, window)) {
            self.set_reg(window - i, v);
        }
        // What is no argument is unset.
        (code.args..code.size).for_each(|i| self.set_reg(window + i as isize, Value::NULL));
        self.base = self.base.wrapping_offset(window);
        (self.pc, self.k) = (code.instrs.as_ptr(), code.consts.as_ptr());
        Ctl::Next
    }
    fn leave(&mut self) -> Option<u64> {
        let (pc, window) = (self.reg(-1), self.reg(-3));
        if pc.is_null() {
            return None;
        }
        self.pc = pc.ptr();
        self.base = self.base.wrapping_sub(window.int_value() as usize);
        self.k = code_at(self.base).consts.as_ptr();
        // SAFETY: behind the calling instruction.
        Some(unsafe { *self.pc.sub(1) })
    }
    fn edge(&mut self, _live: usize, back: usize) -> Ctl {
        self.jump(-(back as isize));
        // SAFETY: the VM is live; nothing of it is borrowed.
        let vm = unsafe { &mut *self.lang };
        if !vm.driver.is_null() {
            vm.place = Place {
                pc: self.pc,
                base: self.base,
            };
            vm.set_top(self.base.wrapping_add(code_at(self.base).size as usize));
            if at_loop(vm, self.pc) {
                (self.pc, self.base) = (vm.place.pc, vm.place.base);
                self.k = code_at(self.base).consts.as_ptr();
            }
        }
        Ctl::Next
    }
}

/// The VM as a recording sees it.
pub struct TinyHost {
    vm: *mut Vm,
    kept: RootVec,
    edge: Option<(*const u64, i32)>,
}

impl Host for TinyHost {
    fn keep(&mut self, v: Value) {
        self.kept.push(v);
    }
    fn barrier(&mut self, object: Value) {
        // SAFETY: the VM and the object are live.
        unsafe { (*self.vm).heap.barrier(object.ptr()) };
    }
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value> {
        // SAFETY: the VM is live.
        let heap = unsafe { (*self.vm).heap };
        let p = heap.alloc(Header::kind(header), words, Header::shape(header))?;
        Some(Value::from_ptr(p.as_ptr()))
    }
    fn big_int(&mut self, i: i64) -> Value {
        // SAFETY: the VM is live.
        unsafe { (*self.vm).integer(i) }
    }
    fn big_int_value(&self, v: Value) -> Option<i64> {
        match number(v) {
            Some(Num::I(i)) if v.is_ptr() => Some(i),
            _ => None,
        }
    }
    fn poll(&self) -> bool {
        false
    }
    fn poll_offset(&self) -> i32 {
        0
    }
}

impl Tiny for Recorder<TinyHost> {
    fn attribute(&mut self, shape: u32, name: usize) -> Option<(usize, Option<u32>)> {
        // SAFETY: the VM is live.
        unsafe { (*self.host.vm).attribute(shape, name) }
    }
    fn call(&mut self, window: isize, n: usize) -> Ctl {
        // SAFETY: as in the interpreter.
        let (code, vm) = unsafe { (&*(&(*self.host.vm).functions)[n], &mut *self.host.vm) };
        let loops = code.instrs.iter().any(|i| op(*i) == Op::Loop);
        let size = i32::from(code.size);
        if loops || self.depth >= 8 || !vm.fits(self.base().wrapping_offset(window), size) {
            self.give_up(Abort::InnerLoop);
            return Ctl::Slow;
        }
        let unset = [Value::NULL].repeat(usize::from(code.size - code.args));
        let words = (1..)
            .zip(header(self.pc, code, window))
            .map(|(i, v)| (window - i, v));
        let first = window + code.args as isize;
        for (at, now) in words
            .collect::<Vec<_>>()
            .into_iter()
            .chain((first..).zip(unset))
        {
            let r = self.e.word(now.bits());
            self.set_reg(at, Word { now, r });
        }
        self.off += window as i32;
        self.depth += 1;
        self.extent = self.extent.max(self.off + size);
        (self.pc, self.k) = (code.instrs.as_ptr(), code.consts.as_ptr().cast_mut());
        Ctl::Next
    }
    fn leave(&mut self) -> Option<u64> {
        if self.depth == 0 {
            self.give_up(Abort::LeftFirstFrame);
            return None;
        }
        // SAFETY: the window's header.
        let (pc, window) = unsafe { (*self.base().sub(1), *self.base().sub(3)) };
        self.e.drop_slots_from(self.off - i32::from(HEADER));
        self.pc = pc.ptr();
        self.off -= window.int_value() as i32;
        self.depth -= 1;
        self.k = code_at(self.base()).consts.as_ptr().cast_mut();
        // SAFETY: behind the calling instruction.
        Some(unsafe { *self.pc.sub(1) })
    }
    fn edge(&mut self, live: usize, back: usize) -> Ctl {
        self.jump(-(back as isize));
        self.host.edge = Some((self.pc, live as i32));
        Ctl::Next
    }
}

// SAFETY: the state begins with the attached allocation state; `activation` is written by
// machine code alone; each window has its code and its caller in its header.
unsafe impl Guest for Vm {
    type Host = TinyHost;
    const ACTIVATION: usize = std::mem::offset_of!(Vm, activation);
    const RESULT: usize = std::mem::offset_of!(Vm, result);
    fn driver(&mut self) -> *mut Driver {
        self.driver
    }
    fn heap(&self) -> Heap {
        self.heap
    }
    fn host(&mut self) -> TinyHost {
        TinyHost {
            vm: self,
            kept: RootVec::pinning(self.heap),
            edge: None,
        }
    }
    fn place(&mut self) -> &mut Place {
        &mut self.place
    }
    fn set_top(&mut self, top: *mut Value) {
        self.alloc.top = top as u64;
    }
    fn fits(&mut self, base: *mut Value, slots: i32) -> bool {
        base.wrapping_offset(slots as isize + 64) < self.stack.as_mut_ptr().wrapping_add(STACK)
    }
    fn frame(base: *mut Value) -> (*mut Value, i32) {
        let code = code_at(base);
        (code.consts.as_ptr().cast_mut(), i32::from(code.size))
    }
    #[expect(
        clippy::not_unsafe_ptr_arg_deref,
        reason = "a guest is given windows of its own stack"
    )]
    fn caller(base: *mut Value) -> *mut Value {
        // SAFETY: the window's header.
        base.wrapping_sub(unsafe { *base.sub(3) }.int_value() as usize)
    }
    fn step(m: &mut Recorder<TinyHost>) -> Ctl {
        // SAFETY: code ends in `Return`.
        let ins = unsafe { *m.pc };
        m.jump(1);
        step(m, ins)
    }
    fn edge(m: &mut Recorder<TinyHost>) -> Option<(*const u64, i32)> {
        m.host.edge.take()
    }
}
