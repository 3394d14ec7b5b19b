//! The Python part of the recorder's machine.

use super::driver::jit;
use super::part::Part;
use super::stats::Phase;
use crate::calls::class_callee;
use crate::frames::code_at;
use crate::ic::{
    decide_always_true, decide_isinstance, decide_item, decide_load, decide_store, decide_super,
    intrinsic_of,
};
use crate::interp::{link_word, return_word};
use crate::lang::{
    Attr, AttrStore, Callee, FRAME_OBJECT, Known, PyMachine, Stage, class, slot_field,
};
use crate::state::state;
use pyrite_bytecode::{CmpOp, Ins};
use pyrite_gc::RootVec;
use pyrite_jit_ir::{AliasClass, Op, OpCode, OpRef};
use pyrite_jit_record::{Abort, Host, Int, Recorder, Word};
use pyrite_machine::plant::{self, Fault};
use pyrite_machine::{Core, Ctl, Field, Value};
use pyrite_objects::code::{CodeData, ic};
use pyrite_objects::dict::WATCHED;
use pyrite_objects::layout::{Gc, Layout, PyDict, PyFunction, PyModule};
use pyrite_objects::ops::BinOp;
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::Vm;

/// The VM as the recorder sees it, and what this recording has found out.
pub(super) struct PyHost {
    pub vm: *mut Vm,
    /// Objects named by the trace. Some until it is dropped, which hands it back to the JIT.
    pub kept: Option<RootVec>,
    /// Dicts and classes the trace depends on.
    pub watched: Vec<u64>,
    /// The loop being recorded (code and loop number); none for a bridge.
    pub own_loop: Option<(*const CodeData, usize)>,
    /// The function whose trace this is part of, and the number of its root.
    pub own_function: Option<(*const CodeData, u32)>,
    /// The first frame may return: it ends the trace.
    pub returns: bool,
    /// Where the recording closed.
    pub closed: Option<Closed>,
    /// Loops inside inlined generators seen since the last yield.
    pub inner_seen: Vec<*const u64>,
    pub switches: Switches,
    /// Instructions called instead of recorded.
    pub residuals: u32,
}

/// How a recording came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closed {
    /// Its own loop header.
    Loop,
    /// The header of a loop that has a trace.
    Link(u32),
    /// The first frame returns.
    Return(OpRef),
}

/// Record-time switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Calls of Python functions become part of the trace.
    pub inline: bool,
    /// Frame slots stay in registers between exits.
    pub frames: bool,
    /// Attributes by promoted shape.
    pub attrs: bool,
    /// Globals and classes by watching instead of checking.
    pub watch: bool,
    /// Side traces.
    pub bridges: bool,
    /// Traces of whole functions, called by others.
    pub functions: bool,
    /// Instructions as calls of functions of values, which leave slots alone.
    pub leaf: bool,
}

impl Host for PyHost {
    fn keep(&mut self, v: Value) {
        let vm = self.vm();
        if vm.heap.contains(v.ptr().cast())
            && let Some(kept) = &mut self.kept
        {
            kept.push(v);
        }
    }
    fn barrier(&mut self, object: Value) {
        self.vm().write_barrier(object);
    }
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value> {
        let vm = self.vm();
        let bytes = words.next_multiple_of(2) * 8;
        if !vm.heap.reserve_room(bytes) {
            return None;
        }
        let at = vm.alloc.cur;
        vm.alloc.cur += bytes as u64;
        // SAFETY: the window has that much room.
        unsafe { *(at as *mut u64) = header };
        Some(Value::from_bits(at))
    }
    fn big_int(&mut self, i: i64) -> Value {
        self.vm().new_int(i)
    }
    fn big_int_value(&self, v: Value) -> Option<i64> {
        if v.is_ptr() && shape_of(v).layout == Layout::Int {
            self.vm().int_to_i64(v)
        } else {
            None
        }
    }
    fn poll(&self) -> bool {
        // SAFETY: the VM is live.
        unsafe { (*self.vm).polled() }
    }
    fn poll_offset(&self) -> i32 {
        std::mem::offset_of!(Vm, poll) as i32
    }
}

impl Drop for PyHost {
    fn drop(&mut self) {
        if let Some(mut kept) = self.kept.take() {
            kept.truncate(0);
            jit(self.vm()).spare_kept = Some(kept);
        }
    }
}

impl PyHost {
    /// The VM. The recorder holds no reference across calls of this.
    #[expect(clippy::mut_from_ref, reason = "the VM is a global behind the lock")]
    pub(super) fn vm(&self) -> &mut Vm {
        // SAFETY: the VM outlives every recording; one thread holds it.
        unsafe { &mut *self.vm }
    }

    /// Lets the program run on: its time is not the JIT's.
    pub(super) fn running<T>(&self, run: impl FnOnce(&mut Vm) -> T) -> T {
        let vm = self.vm();
        jit(vm).stats.laps.stop(Phase::Record);
        let result = run(vm);
        jit(vm).stats.laps.stop(Phase::Program);
        result
    }

    fn watch(&mut self, object: Value) {
        if !self.watched.contains(&object.bits()) {
            self.watched.push(object.bits());
            // Known by its address until the trace is made: it must stay there.
            self.keep(object);
        }
    }

    pub(super) fn watch_class(&mut self, obj: Value) {
        let vm = self.vm();
        let c = vm.class_of(obj);
        self.watch_type(c.value());
    }

    fn watch_type(&mut self, class: Value) {
        if plant::is(Fault::ClassNotWatched) {
            return;
        }
        self.vm().type_data(Gc::from_value(class)).watched = true;
        self.watch(class);
    }
}

/// The recorder of Python.
pub(super) type PyRecorder = Recorder<PyHost>;

/// Frames a trace may inline.
const MAX_DEPTH: u32 = 16;
/// Turns of an inner loop that a trace may contain.
const MAX_UNROLLED: usize = 2;
/// Times the code of one generator may be among them: each path through a tree of
/// generators would be a trace of its own.
const MAX_RESUMED: usize = 1;
/// Times the same code may be among the inlined frames.
const MAX_RECURSION: usize = 3;

/// Keys version of a dict, in the upper half of its second word.
const KEYS_VERSION: Field = Field {
    offset: 20,
    class: class::DICT,
};
const ENTRIES: Field = Field::word(4, class::DICT);
const FUNCTION_CODE: Field = Field::word(1, class::FUNC);
pub(super) const FUNCTION_GLOBALS: Field = Field::word(4, class::FUNC);

/// Loads the entry of a dict whose keys are what they were, by a guard.
fn dict_entry(m: &mut PyRecorder, d: Value, entry: usize, dict: Word) -> Word {
    let version = m.host.vm().dict_keys_version(d);
    let v = m.e.load(
        OpCode::LdU32,
        &[dict.r],
        KEYS_VERSION.offset,
        AliasClass(KEYS_VERSION.class),
    );
    let c = m.e.int(i64::from(version));
    if !plant::is(Fault::KeysNotGuarded) {
        m.e.guard(OpCode::IEq, &[v, c], true);
    }
    let entries = m.load(dict, ENTRIES);
    m.load(entries, Field::word(2 + entry * 3 + 2, class::DICT))
}

impl PyMachine for PyRecorder {
    fn known(&self) -> &'static Known {
        // SAFETY: the VM is live.
        unsafe { &state(&*self.host.vm).known }
    }

    fn attr(&mut self, i: usize, v: Word, _full: bool) -> Attr<Word> {
        if !self.host.switches.attrs {
            return Attr::Miss;
        }
        let name = code_at(self.base()).ics[i].name;
        let Some(f) = decide_load(self.host.vm(), v.now, name) else {
            return Attr::Miss;
        };
        match f.kind {
            ic::TYPE_VALUE | ic::TYPE_METHOD => {
                self.guard_word(v);
                self.host.watch_class(v.now);
                self.host.watch_type(v.now);
                return if f.kind == ic::TYPE_VALUE {
                    Attr::Value(f.value)
                } else {
                    Attr::ClassMethod(f.value, v)
                };
            }
            ic::MODULE => {
                self.guard_word(v);
                self.host.watch_class(v.now);
                let d = Gc::<PyModule>::from_value(v.now).dict.get();
                return Attr::Loaded(self.namespace_entry(&[d], d, f.slot as usize));
            }
            _ => {}
        }
        let s = shape_of(v.now);
        if !plant::is(Fault::ShapeNotGuarded) {
            self.e.guard_shape(v.r, s.id(), true);
        }
        self.host.watch_class(v.now);
        match f.kind {
            ic::SLOT => Attr::Slot(slot_field(f.slot as usize)),
            ic::MEMBER => Attr::Member(slot_field(f.slot as usize)),
            ic::OVERFLOW => Attr::Overflow(slot_field(f.extra as usize), f.slot as usize),
            ic::VALUE => Attr::Value(f.value),
            ic::METHOD => Attr::Method(f.value),
            ic::CLASS_METHOD => Attr::ClassMethod(f.value, self.value(s.class)),
            ic::PROPERTY => Attr::Property(f.value),
            _ => Attr::Miss,
        }
    }

    fn attr_store(&mut self, i: usize, v: Word, _full: bool) -> AttrStore {
        if !self.host.switches.attrs {
            return AttrStore::Miss;
        }
        let name = code_at(self.base()).ics[i].name;
        let Some(f) = decide_store(self.host.vm(), v.now, name) else {
            return AttrStore::Miss;
        };
        let s = shape_of(v.now);
        self.e.guard_shape(v.r, s.id(), true);
        self.host.watch_class(v.now);
        match f.kind {
            ic::SLOT => AttrStore::Slot(slot_field(f.slot as usize)),
            ic::OVERFLOW => AttrStore::Overflow(slot_field(f.extra as usize), f.slot as usize),
            ic::ADD_SLOT => AttrStore::Add(slot_field(f.slot as usize), f.extra),
            ic::SETTER => AttrStore::Setter(f.value),
            _ => AttrStore::Miss,
        }
    }

    fn super_method(&mut self, i: usize, class: Word, this: Word) -> Option<Value> {
        if !self.host.switches.attrs {
            return None;
        }
        let name = code_at(self.base()).ics[i].name;
        let f = decide_super(self.host.vm(), class.now, this.now, name)?;
        self.guard_word(class);
        self.guard_class(this);
        self.host.watch_type(class.now);
        Some(f.value)
    }

    fn binary_method(&mut self, op: BinOp, inplace: bool, x: Word, y: Word) -> Option<Value> {
        let f = self.host.vm().binary_start(op, x.now, y.now, inplace);
        if f.is_null() {
            return None;
        }
        self.guard_class(x);
        self.guard_class(y);
        Some(f)
    }

    fn compare_method(&mut self, op: CmpOp, x: Word, y: Word) -> Option<Value> {
        let f = self.host.vm().compare_start(op, x.now, y.now);
        if f.is_null() {
            return None;
        }
        self.guard_class(x);
        self.guard_class(y);
        Some(f)
    }

    fn item_method(&mut self, x: Word, store: bool) -> Option<Value> {
        let f = decide_item(self.host.vm(), x.now, store)?;
        self.guard_class(x);
        Some(f)
    }

    fn always_true(&mut self, v: Word) -> bool {
        if !decide_always_true(self.host.vm(), v.now) {
            return false;
        }
        self.guard_class(v);
        true
    }

    fn isinstance(&mut self, v: Word, class: Word) -> Option<bool> {
        let is = decide_isinstance(self.host.vm(), v.now, class.now)?;
        self.guard_word(class);
        self.guard_class(v);
        self.host.watch_type(class.now);
        Some(is)
    }

    fn str_eq(&mut self, a: Word, b: Word) -> Int {
        Int {
            now: i64::from(self.host.vm().str_eq(a.now, b.now)),
            r: Part::StrEq.call(self, &[a.r, b.r]),
        }
    }

    fn str_char(&mut self, s: Word, i: Int) -> Word {
        Word {
            now: self.host.vm().str_char(s.now, i.now),
            r: Part::StrChar.call(self, &[s.r, i.r]),
        }
    }

    fn contains(&mut self, c: Word, item: Word) -> Int {
        Int {
            now: self.host.vm().contains_plain(c.now, item.now),
            r: Part::Contains.call(self, &[c.r, item.r]),
        }
    }

    fn dict_find(&mut self, d: Word, key: Word) -> Word {
        Word {
            now: self.host.vm().dict_find(d.now, key.now),
            r: Part::DictFind.call(self, &[d.r, key.r]),
        }
    }

    fn dict_place(&mut self, d: Word, key: Word) -> Int {
        Int {
            now: self.host.vm().dict_place(d.now, key.now),
            r: Part::DictPlace.call(self, &[d.r, key.r]),
        }
    }

    fn dict_put(&mut self, d: Word, entry: Int, v: Word) {
        self.host
            .vm()
            .dict_entry_set(d.now, entry.now as usize, v.now);
        Part::DictPut.call(self, &[d.r, entry.r, v.r]);
    }

    fn unblock(&mut self, _p: Word) {}

    fn global(&mut self, i: usize) -> Option<Word> {
        let name = code_at(self.base()).ics[i].name;
        let f = self.reg(-4);
        let globals = self.load(f, FUNCTION_GLOBALS);
        let g = self.guard_word(globals);
        let vm = self.host.vm();
        // A subclass may compute its items.
        if !vm.is_exact_dict(g) {
            return None;
        }
        let (d, e) = match vm.dict_entry_str(g, name) {
            Some(e) => (g, e),
            None if crate::ic::own_builtins(vm, g).is_some() => return None,
            None => (vm.builtins, vm.dict_entry_str(vm.builtins, name)?),
        };
        Some(self.namespace_entry(&[g, d], d, e))
    }

    fn callee(&mut self, f: Word, classes: bool) -> Callee {
        let s = shape_of(f.now);
        match s.layout {
            Layout::Function if self.host.switches.inline => {
                // SAFETY: a function's code data is never freed.
                let code: &'static mut CodeData =
                    unsafe { &mut *Gc::<PyFunction>::from_value(f.now).code_data.get() };
                let active = self.active(code);
                code.recursive |= active > 0;
                if code.dont_inline
                    || self.depth >= MAX_DEPTH
                    || active >= MAX_RECURSION
                    || code.recursive && traced(self, code).is_some()
                {
                    return Callee::Other;
                }
                self.function_code(f);
                Callee::Function(code)
            }
            Layout::Native if classes => {
                let c = intrinsic_of(f.now);
                if matches!(c, Callee::Intrinsic(_)) {
                    self.guard_word(f);
                }
                c
            }
            Layout::Type if classes && f.now == self.host.vm().types.range.value() => {
                self.guard_word(f);
                Callee::Range
            }
            Layout::Type if classes && self.host.switches.inline => {
                let class = f.now;
                let c = class_callee(self.host.vm(), class);
                if let Callee::Class { code, .. } = c {
                    if code.dont_inline
                        || self.depth >= MAX_DEPTH
                        || self.active(code) >= MAX_RECURSION
                    {
                        return Callee::Other;
                    }
                    self.guard_word(f);
                    self.host.vm().type_data(Gc::from_value(class)).watched = true;
                    self.host.watch(class);
                }
                c
            }
            _ => Callee::Other,
        }
    }

    fn room(&mut self, window: isize, frame_size: u32) -> bool {
        // SAFETY: only compared.
        let end = unsafe { self.base().offset(window + frame_size as isize + 8) };
        // SAFETY: the VM is live.
        end < unsafe { (*self.host.vm).stack_high }
    }

    fn push_frame(&mut self, window: isize, code: &'static CodeData, args: u32, stage: Stage) {
        self.header(window, stage);
        self.enter(window, code);
        let null = self.value(Value::NULL);
        for i in args..code.locals {
            self.set_reg(i as isize, null);
        }
        self.pc = code.entry;
    }

    fn push_frame_at(
        &mut self,
        window: isize,
        code: &'static CodeData,
        pc: *const u64,
        stage: Stage,
    ) {
        self.header(window, stage);
        self.enter(window, code);
        self.pc = pc;
    }

    fn peek_return(&mut self) -> Option<(Stage, Ins)> {
        if self.depth == 0 {
            if !self.host.returns {
                self.give_up(Abort::LeftFirstFrame);
            }
            return None;
        }
        // SAFETY: part of the header.
        let ret = unsafe { (*self.base().sub(3)).bits() };
        let stage = Stage::from_bits(ret >> 48);
        if ret & FRAME_OBJECT != 0 || matches!(stage, Stage::Root | Stage::RootGen) {
            self.give_up(Abort::Instruction);
            return None;
        }
        let pc = (ret & 0xFFFF_FFFF_FFFF) as *const u64;
        // SAFETY: behind the calling instruction.
        Some((stage, Ins(unsafe { *pc.sub(1) })))
    }

    fn pop_frame(&mut self) {
        // SAFETY: parts of the header.
        let (ret, link) = unsafe { ((*self.base().sub(3)).bits(), (*self.base().sub(2)).bits()) };
        if matches!(Stage::from_bits(ret >> 48), Stage::ForIter | Stage::Send) {
            self.host.inner_seen.clear();
        }
        self.pc = (ret & 0xFFFF_FFFF_FFFF) as *const u64;
        self.k = (link & 0xFFFF_FFFF_FFFF) as *mut Value;
        // The window and its header are dead.
        self.e.drop_slots_from(self.off - 5);
        self.off -= (link >> 48) as i32;
        self.depth -= 1;
    }

    fn loop_edge(&mut self, ins: Ins) -> Ctl {
        let code = code_at(self.base());
        let l = &code.loops[ins.b()];
        let own = self.host.own_loop;
        if self.depth == 0 {
            if own == Some((std::ptr::from_ref(code), ins.b())) {
                self.pc = l.header;
                self.e.drop_slots_from(ins.a() as i32);
                self.host.closed = Some(Closed::Loop);
                return Ctl::Next;
            }
            if l.trace != 0 && l.trace != u32::MAX {
                if own.is_some() {
                    self.give_up(Abort::InnerLoop);
                    return Ctl::Slow;
                }
                self.pc = l.header;
                self.e.drop_slots_from(ins.a() as i32);
                self.host.closed = Some(Closed::Link(l.trace - 1));
                return Ctl::Next;
            }
            // The header of a loop further out: the iteration has left its own loop.
            // A trace that goes round by way of the outer one is no loop to be in.
            let left = own.is_some_and(|(_, n)| l.header < code.loops[n].header);
            if left {
                self.give_up(Abort::InnerLoop);
                return Ctl::Slow;
            }
        } else {
            // SAFETY: part of the header.
            let ret = unsafe { (*self.base().sub(3)).bits() };
            if !matches!(Stage::from_bits(ret >> 48), Stage::ForIter | Stage::Send) {
                code.dont_inline = true;
                self.give_up(Abort::InnerLoop);
                return Ctl::Slow;
            }
        }
        // A loop without a trace goes round so rarely that its turns may be
        // unrolled; one that does not would have been hot before.
        let turns = self.host.inner_seen.iter().filter(|&&h| h == l.header);
        if turns.count() >= MAX_UNROLLED {
            self.give_up(Abort::InnerLoop);
            return Ctl::Slow;
        }
        self.host.inner_seen.push(l.header);
        self.pc = l.header;
        Ctl::Next
    }

    fn code(&mut self) -> &'static CodeData {
        code_at(self.base())
    }

    fn pc(&mut self) -> *const u64 {
        self.pc
    }

    fn function_code(&mut self, f: Word) -> &'static CodeData {
        // SAFETY: a function's code data is never freed.
        let code = unsafe { &*Gc::<PyFunction>::from_value(f.now).code_data.get() };
        if f.r.is_const() {
            // A constant function's code may only change by assignment to
            // `__code__`, which this guard catches.
            let c = self.load_int(f, FUNCTION_CODE);
            self.promote_int(c);
            return code;
        }
        self.e.guard_shape(f.r, shape_of(f.now).id(), true);
        let c = self.load_int(f, FUNCTION_CODE);
        self.promote_int(c);
        code
    }

    fn may_resume(&mut self, code: &'static CodeData) -> bool {
        self.depth < MAX_DEPTH && self.active(code) < MAX_RESUMED
    }

    fn handled(&mut self) -> Word {
        let now = self.host.vm().handled;
        let r = self
            .e
            .emit(Op::new(OpCode::LdVm).imm(std::mem::offset_of!(Vm, handled) as i32));
        Word { now, r }
    }

    fn set_handled(&mut self, v: Word) {
        self.host.vm().handled = v.now;
        self.e.emit(
            Op::new(OpCode::StVm)
                .with(&[v.r])
                .imm(std::mem::offset_of!(Vm, handled) as i32),
        );
    }
}

trait Lookups {
    /// Guards the class of a value, and watches it.
    fn guard_class(&mut self, v: Word);
    /// Value of entry `e` of dict `d`, which a lookup found through `seen`: those
    /// before it miss the name.
    fn namespace_entry(&mut self, seen: &[Value], d: Value, e: usize) -> Word;
}

impl Lookups for PyRecorder {
    fn guard_class(&mut self, v: Word) {
        let int = self.is_int(v);
        if self.branch(int) {
            return;
        }
        let float = self.is_float(v);
        if self.branch(float) {
            return;
        }
        self.e.guard_shape(v.r, shape_of(v.now).id(), true);
        self.host.watch_class(v.now);
    }

    fn namespace_entry(&mut self, seen: &[Value], d: Value, e: usize) -> Word {
        // Functions, classes and modules are hardly ever rebound: their
        // namespace is watched. What is written often is loaded.
        let now = self.host.vm().dict_entry_value(d, e);
        let stable = now.is_ptr()
            && matches!(
                shape_of(now).layout,
                Layout::Function | Layout::Native | Layout::Type | Layout::Module
            );
        if stable && self.host.switches.watch {
            for &dict in seen {
                let dd: Gc<PyDict> = Gc::from_value(dict);
                dd.flags.set(dd.flags.get() | WATCHED);
                if !plant::is(Fault::GlobalsNotWatched) {
                    self.host.watch(dict);
                }
            }
            return self.value(now);
        }
        for &g in seen {
            if g == d {
                continue;
            }
            // The name must go on missing here.
            let w = self.value(g);
            let version = self.host.vm().dict_keys_version(g);
            let v = self.e.load(
                OpCode::LdU32,
                &[w.r],
                KEYS_VERSION.offset,
                AliasClass(KEYS_VERSION.class),
            );
            let c = self.e.int(i64::from(version));
            self.e.guard(OpCode::IEq, &[v, c], true);
        }
        let dict = self.value(d);
        dict_entry(self, d, e, dict)
    }
}

/// The root that is, or is about to be, the trace of a function.
pub(super) fn traced(m: &PyRecorder, code: &CodeData) -> Option<u32> {
    match (m.host.own_function, code.trace) {
        (Some((own, root)), _) if std::ptr::eq(own, code) => Some(root),
        (_, 0 | u32::MAX) => None,
        (_, n) => jit(m.host.vm()).is_valid(n - 1).then_some(n - 1),
    }
}

trait Frames {
    fn header(&mut self, window: isize, stage: Stage);
    fn enter(&mut self, window: isize, code: &'static CodeData);
    fn active(&self, code: &CodeData) -> usize;
}

impl Frames for PyRecorder {
    /// Writes the header words that are the same each time.
    fn header(&mut self, window: isize, stage: Stage) {
        let ret = return_word(self.pc, stage);
        let link = link_word(self.k, window);
        for (i, w) in [(3, ret), (2, link), (1, Value::NULL)] {
            let word = Word {
                now: w,
                r: self.e.word(w.bits()),
            };
            self.set_reg(window - i, word);
        }
    }

    fn enter(&mut self, window: isize, code: &'static CodeData) {
        self.off += window as i32;
        self.k = code.consts;
        self.depth += 1;
        self.extent = self.extent.max(self.off + code.frame_size as i32);
    }

    /// Inlined frames of this code.
    fn active(&self, code: &CodeData) -> usize {
        let mut n = 0;
        let mut base = self.base();
        for _ in 0..=self.depth {
            if std::ptr::eq(code_at(base), code) {
                n += 1;
            }
            base = crate::frames::caller_of(base);
        }
        n
    }
}
