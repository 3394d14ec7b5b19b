//! The VM's state, its stack, and the interpreter's loop.

use crate::code::code_at;
use crate::record::Recording;
use crate::{Careful, Code, HEADER, Ins, Interp, Language, ints};
use pyrite_gc::{AllocState, Config, GcError, Heap, RootSource, Tracer};
use pyrite_jit_record::Recorder;
use pyrite_jit_record::drive::{Counts, Driver, Guest, Params, Place};
use pyrite_machine::{Core, Ctl, Header, Value};

/// Registers of the VM stack, and how many of them no window may use: room that the driver's
/// estimate of a trace's windows need not be exact about.
const STACK: usize = 1 << 14;
const SPARE: usize = 64;

/// Why a VM could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no heap")]
    Heap(#[from] GcError),
    #[error("no room for machine code: {0}")]
    Code(String),
    #[error("a program needs code to begin with")]
    Empty,
}

/// What a program left.
#[derive(Debug)]
pub struct Ended<L> {
    pub lang: L,
    /// The error that ended it, behind the name of the code.
    pub error: Option<String>,
    /// What the JIT did.
    pub counts: Counts,
}

/// The state of a VM. Compiled code reads the first words.
#[repr(C)]
pub struct Vm<L> {
    alloc: AllocState,
    activation: *mut u8,
    result: u64,
    place: Place,
    pub(crate) driver: *mut Driver,
    pub(crate) heap: Heap,
    codes: Vec<Code>,
    stack: *mut Value,
    pub(crate) lang: L,
}

/// The VM stack as the collector sees it.
struct StackRoots {
    stack: *mut Value,
    top: *const u64,
}

impl RootSource for StackRoots {
    fn exact(&mut self, t: &mut Tracer) {
        // SAFETY: the stack and the VM outlive the heap's last collection.
        unsafe {
            let top = *self.top as *mut Value;
            t.range(self.stack, top);
            // What lies above is dead, and must not be mistaken for something later.
            top.write_bytes(0, STACK - top.offset_from(self.stack) as usize);
        }
    }
}

/// Runs a program, which begins in `codes[0]`; with the JIT if it has parameters.
///
/// # Errors
/// When there is no memory to begin with, or no code.
pub fn run<L: Language>(
    lang: L,
    codes: Vec<Code>,
    gc: Config,
    jit: Option<Params>,
) -> Result<Ended<L>, Error> {
    let first = codes.first().ok_or(Error::Empty)?;
    debug_assert!(usize::from(first.size) < STACK - SPARE);
    let heap = Heap::new(gc, L::KINDS)?;
    let mut stack = vec![Value::NULL; STACK];
    let vm = Box::into_raw(Box::new(Vm {
        alloc: AllocState::new(),
        activation: std::ptr::null_mut(),
        result: 0,
        place: Place {
            pc: std::ptr::null(),
            base: std::ptr::null_mut(),
        },
        driver: std::ptr::null_mut(),
        heap,
        stack: stack.as_mut_ptr(),
        codes,
        lang,
    }));
    // SAFETY: VM, stack and roots stay where they are until the heap is destroyed, and the driver
    // until then as well; one thread uses them, and no reference is kept while others are made.
    unsafe {
        heap.attach(&raw mut (*vm).alloc);
        let mut roots = StackRoots {
            stack: (*vm).stack,
            top: &raw const (*vm).alloc.top,
        };
        heap.set_roots(&raw mut roots);
        let mut driver = match jit.map(|params| Driver::new::<Vm<L>>(heap, params)) {
            Some(Err(why)) => {
                heap.destroy();
                drop(Box::from_raw(vm));
                return Err(Error::Code(why));
            }
            Some(Ok(driver)) => Some(driver),
            None => None,
        };
        (*vm).driver = driver.as_mut().map_or(std::ptr::null_mut(), |d| d);
        let error = interpret(vm).err();
        let counts = driver.map_or_else(Counts::default, |d| d.counts.clone());
        heap.destroy();
        Ok(Ended {
            lang: Box::from_raw(vm).lang,
            error,
            counts,
        })
    }
}

/// # Safety
/// `vm` is live, and nobody holds a reference to it.
unsafe fn interpret<L: Language>(vm: *mut Vm<L>) -> Result<(), String> {
    // SAFETY: as the caller promises; the stack is larger than a header.
    let (code, base) = unsafe { (Vm::code(vm, 0), (*vm).stack.add(HEADER.into())) };
    for (i, word) in (1..).zip(code.header(std::ptr::null(), 0)) {
        // SAFETY: the header's words.
        unsafe { *base.sub(i) = word };
    }
    let mut m = Interp {
        pc: code.start(),
        base,
        k: code.consts.as_ptr(),
        window: vm.cast(),
        lang: vm,
    };
    while !m.pc.is_null() {
        // SAFETY: code ends in an instruction that returns or jumps.
        let ins = Ins(unsafe { *m.pc });
        m.jump(1);
        if L::step(&mut m, ins) == Ctl::Slow {
            // SAFETY: the running window; the VM is live.
            let code = unsafe {
                let code = code_at(m.base);
                (*vm).set_top(m.base.add(code.size.into()));
                code
            };
            let mut careful = Careful(m);
            if L::step(&mut careful, ins) == Ctl::Slow {
                L::rest(&mut careful, ins).map_err(|e| format!("{}: {e}", code.name))?;
            }
            m = careful.0;
        }
    }
    Ok(())
}

impl<L: Language> Vm<L> {
    /// Code number `n`.
    ///
    /// # Safety
    /// `vm` is live.
    pub(crate) unsafe fn code<'a>(vm: *mut Vm<L>, n: usize) -> &'a Code {
        // SAFETY: the list of codes does not change while the VM lives.
        unsafe { &(&(*vm).codes)[n] }
    }

    /// A fresh object of this header; `None`: the heap is full. A safepoint.
    pub(crate) fn object(heap: Heap, header: u64, words: usize) -> Option<Value> {
        let p = heap.alloc(Header::kind(header), words, Header::shape(header))?;
        Some(Value::from_ptr(p.as_ptr()))
    }

    /// The word of an integer; `None`: the heap is full. A safepoint.
    pub(crate) fn integer(heap: Heap, i: i64) -> Option<Value> {
        Value::try_int(i).or_else(|| {
            let v = Self::object(heap, ints::HEADER, ints::WORDS)?;
            // SAFETY: the word behind the header.
            unsafe { *v.ptr().add(1) = i as u64 };
            Some(v)
        })
    }
}

// SAFETY: the state begins with the attached allocation state; `activation` is written by machine
// code alone; each window has its code and its distance from the caller in its header.
unsafe impl<L: Language> Guest for Vm<L> {
    type Host = Recording<L>;
    const ACTIVATION: usize = std::mem::offset_of!(Vm<L>, activation);
    const RESULT: usize = std::mem::offset_of!(Vm<L>, result);

    fn driver(&mut self) -> *mut Driver {
        self.driver
    }
    fn heap(&self) -> Heap {
        self.heap
    }
    fn host(&mut self) -> Recording<L> {
        Recording::new(self)
    }
    fn place(&mut self) -> &mut Place {
        &mut self.place
    }
    fn set_top(&mut self, top: *mut Value) {
        self.alloc.top = top as u64;
    }
    fn fits(&mut self, base: *mut Value, slots: i32) -> bool {
        base.wrapping_offset(slots as isize) < self.stack.wrapping_add(STACK - SPARE)
    }
    fn frame(base: *mut Value) -> (*mut Value, i32) {
        // SAFETY: a window of this VM.
        let code = unsafe { code_at(base) };
        (code.consts.as_ptr().cast_mut(), code.size.into())
    }
    fn caller(base: *mut Value) -> *mut Value {
        // SAFETY: the window's header.
        base.wrapping_sub(unsafe { *base.sub(3) }.int_value() as usize)
    }
    fn step(m: &mut Recorder<Recording<L>>) -> Ctl {
        // SAFETY: code ends in an instruction that returns or jumps.
        let ins = Ins(unsafe { *m.pc });
        m.jump(1);
        L::step(m, ins)
    }
    fn edge(m: &mut Recorder<Recording<L>>) -> Option<(*const u64, i32)> {
        m.host.edge.take()
    }
}
