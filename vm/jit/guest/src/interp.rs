//! The machine that interprets.

use crate::code::code_at;
use crate::vm::Vm;
use crate::{Language, Machine};
use pyrite_jit_record::drive::{Guest, Place, at_loop};
use pyrite_machine::plain::Plain;
use pyrite_machine::{Core, Ctl, Value};

/// The machine that interprets a language.
pub type Interp<L> = Plain<*mut Vm<L>>;

impl<L: Language> Machine for Interp<L> {
    type Language = L;

    fn lang(&mut self) -> &mut L {
        // SAFETY: the VM is live, and the machine is borrowed while the reference is.
        unsafe { &mut (*self.lang).lang }
    }
    fn call(&mut self, window: usize, n: usize) -> Ctl {
        let base = self.base.wrapping_add(window);
        // SAFETY: the VM is live.
        let code = unsafe { Vm::code(self.lang, n) };
        // SAFETY: as above.
        if !unsafe { (*self.lang).fits(base, code.size.into()) } {
            return Ctl::Slow;
        }
        for (i, word) in (1..).zip(code.header(self.pc, window)) {
            // SAFETY: the header lies in the caller's window.
            unsafe { *base.sub(i) = word };
        }
        let args = usize::from(code.args);
        // SAFETY: the window fits. What is no argument is unset.
        unsafe { base.add(args).write_bytes(0, usize::from(code.size) - args) };
        (self.pc, self.base, self.k) = (code.start(), base, code.consts.as_ptr());
        Ctl::Next
    }
    fn ret(&mut self, result: Value) -> Ctl {
        let (pc, distance) = (self.reg(-1), self.reg(-3));
        self.set_reg(-3, result);
        self.pc = pc.ptr();
        if !pc.is_null() {
            self.base = self.base.wrapping_sub(distance.int_value() as usize);
            // SAFETY: the caller's window.
            self.k = unsafe { code_at(self.base) }.consts.as_ptr();
        }
        Ctl::Next
    }
    fn back_edge(&mut self, _live: usize, back: usize) -> Ctl {
        self.jump(-(back as isize));
        // SAFETY: the VM is live, nothing of it is borrowed; windows hold their code.
        unsafe {
            let vm = &mut *self.lang;
            if vm.driver.is_null() {
                return Ctl::Next;
            }
            *vm.place() = Place {
                pc: self.pc,
                base: self.base,
            };
            vm.set_top(self.base.add(code_at(self.base).size.into()));
            if at_loop(vm, self.pc) {
                Place {
                    pc: self.pc,
                    base: self.base,
                } = *vm.place();
                self.k = code_at(self.base).consts.as_ptr();
            }
        }
        Ctl::Next
    }
}
