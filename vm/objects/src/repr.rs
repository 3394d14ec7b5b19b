//! Printing of containers: pieces are collected in a list object and joined, and
//! a container inside itself prints as `[...]`.

use crate::vm::{R, Vm};
use pyrite_machine::Value;

impl Vm {
    /// Notes that the repr of `v` is in progress; true if it was already, and then
    /// [`Vm::repr_leave`] must not be called.
    pub fn repr_enter(&mut self, v: Value) -> bool {
        if self.list_items(self.repr_stack).contains(&v) {
            return true;
        }
        self.list_append(self.repr_stack, v);
        false
    }

    /// The repr of the innermost container is done.
    pub fn repr_leave(&mut self) {
        let n = self.list_len(self.repr_stack);
        self.list_splice(self.repr_stack, n - 1, n, &[]);
    }

    /// `open`, the items' reprs with commas between, `close`; `item` prints item
    /// `i` into the list of pieces and returns false past the last one.
    pub fn repr_items(
        &mut self,
        v: Value,
        open: &str,
        close: &str,
        recursive: &str,
        mut item: impl FnMut(&mut Vm, usize, Value) -> R<bool>,
    ) -> R {
        if self.repr_enter(v) {
            return Ok(self.new_str(recursive));
        }
        let parts = self.new_list(&[]);
        let s = self.new_str(open);
        self.list_append(parts, s);
        let comma = self.intern(", ");
        let mut i = 0;
        let r = loop {
            let before = self.list_len(parts);
            match item(self, i, parts) {
                Ok(true) => {
                    if i > 0 {
                        self.list_splice(parts, before, before, &[comma]);
                    }
                }
                Ok(false) => break Ok(()),
                Err(e) => break Err(e),
            }
            i += 1;
        };
        self.repr_leave();
        r?;
        let s = self.new_str(close);
        self.list_append(parts, s);
        Ok(self.str_join(self.list_items(parts)))
    }
}
