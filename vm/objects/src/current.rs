//! The innermost Python window: what `globals()`, `locals()` and a class made by
//! calling `type` need to know about the code that is running.

use crate::layout::{Gc, PyCell, PyFunction};
use crate::vm::Vm;
use pyrite_bytecode::CodeFlags;
use pyrite_machine::Value;

impl Vm {
    /// The function whose window is on top, or null if no Python code runs.
    pub fn current_function(&self) -> Value {
        self.looks_at_frames();
        if self.base <= self.stack {
            return Value::NULL;
        }
        // SAFETY: the header below register 0 of a window holds its function
        // (`pyrite_bytecode::FRAME_HEADER`).
        unsafe { *self.base.sub(4) }
    }

    /// Frames in progress on this thread.
    pub fn call_depth(&self) -> usize {
        let mut n = 0;
        (crate::small::frame_hooks(self).lines)(self.base, self.pc, &mut |_, _| {
            n += 1;
            true
        });
        n
    }

    /// Globals of the running code, or null.
    pub fn current_globals(&self) -> Value {
        let f = self.current_function();
        if f.is_null() {
            return f;
        }
        Gc::<PyFunction>::from_value(f).globals.get()
    }

    /// Locals of the running code: the namespace of module-level code and class
    /// bodies, else a new dict of the variables that are set. Null if no Python
    /// code runs.
    pub fn current_locals(&mut self) -> Value {
        let f = self.current_function();
        if f.is_null() {
            return f;
        }
        let base = self.base;
        let code = self.code_data(Gc::<PyFunction>::from_value(f).code.get());
        if code.flags.has(CodeFlags::NAMESPACE) {
            // SAFETY: register 0 of namespace code.
            return unsafe { *base };
        }
        let d = self.new_dict();
        let set = |vm: &mut Vm, name: Value, reg: usize| {
            // SAFETY: registers of the window.
            let mut v = unsafe { *base.add(reg) };
            if v.is_some() && vm.layout_of(v) == crate::layout::Layout::Cell {
                v = Gc::<PyCell>::from_value(v).content.get();
            }
            if v.is_some() {
                vm.dict_set_str(d, name, v);
            }
        };
        for i in 0..self.tuple_len(code.varnames) {
            let name = self.tuple_get(code.varnames, i);
            set(self, name, i);
        }
        for i in 0..code.cell_regs.len() {
            let name = self.tuple_get(code.cellvars, i);
            set(self, name, code.cell_regs[i] as usize);
        }
        for i in 0..code.free_regs.len() {
            let name = self.tuple_get(code.freevars, i);
            set(self, name, code.free_regs[i] as usize);
        }
        d
    }
}
