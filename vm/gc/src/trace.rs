//! The visitor handed to trace functions.

use pyrite_machine::Value;

/// Receives an object's reference slots.
pub struct Tracer<'a> {
    pub(crate) visit: Option<&'a mut dyn FnMut(Value)>,
}

impl Tracer<'_> {
    /// A slot that holds a reference or any other value word. The reference is updated if
    /// its object moves.
    ///
    /// # Safety
    /// `slot` is readable and writable and holds a value word.
    #[inline]
    pub unsafe fn edge(&mut self, slot: *mut Value) {
        // SAFETY: the caller vouches for `slot`.
        let v = unsafe { *slot };
        if v.is_ptr()
            && let Some(f) = self.visit.as_mut()
        {
            f(v);
        }
    }

    /// The slots from `lo` up to `hi`, exclusive.
    ///
    /// # Safety
    /// All of them are as in [`Tracer::edge`].
    #[inline]
    pub unsafe fn range(&mut self, lo: *mut Value, hi: *mut Value) {
        let mut p = lo;
        while p < hi {
            // SAFETY: `p` lies in the caller's range.
            unsafe {
                self.edge(p);
                p = p.add(1);
            }
        }
    }
}
