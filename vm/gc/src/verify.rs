//! The verifier: what must hold of the whole heap before and after a collection.

use std::collections::HashSet;

use pyrite_machine::{Header, Value};

use crate::blocks::BLOCK;
use crate::heap::Core;
use crate::trace::Tracer;
use crate::walk::each_in_window;
use crate::{LINE_BYTES, POISON};

impl Core {
    /// Under stress: an object that is about to survive must be one that the windows, or
    /// the marks before a full collection, know.
    #[inline(always)]
    pub(crate) fn check_young_start(&self, addr: usize) {
        if let Some(starts) = &self.known_starts {
            assert!(
                starts.contains(&addr),
                "reference {addr:#x} leads to the start of an object"
            );
        }
    }

    /// Checks that windows parse, and that every old object that refers to a young one is
    /// remembered. Windows are closed.
    pub(crate) fn verify_before(&mut self, full: bool) {
        let mut starts = HashSet::new();
        let mut old = Vec::new();
        self.each_marked(&mut |obj| old.push(obj));
        for &(start, end) in &self.windows {
            // SAFETY: closed windows hold whole objects.
            unsafe {
                each_in_window(self, start, end, &mut |obj| {
                    self.check_header(obj);
                    let header = *obj;
                    assert!(
                        header & (Header::OLD | Header::CARDED | Header::FORWARDED) == 0,
                        "young object {obj:p} has header {header:#x}"
                    );
                    starts.insert(obj as usize);
                });
            }
        }
        self.large.each(&mut |at| {
            if !self.space.is_marked(at) {
                starts.insert(at);
            }
        });
        let mut forgotten = 0;
        for &obj in &old {
            // SAFETY: marked addresses are objects.
            let header = unsafe { *obj };
            if header & Header::OLD == 0 {
                forgotten += 1;
                continue;
            }
            let mut check = |slot: *mut Value, v: Value| {
                assert!(
                    v.bits() != POISON,
                    "slot {slot:p} of {obj:p} holds freed memory"
                );
                let young = !self.space.is_marked(v.bits() as usize);
                let dirty = header & Header::CARDED != 0 && self.space.is_dirty(slot as usize);
                assert!(
                    !young || dirty,
                    "old object {obj:p} refers to young {v:?} in slot {slot:p}, but is not remembered"
                );
            };
            // SAFETY: as above.
            unsafe { self.trace_one(obj, &mut Tracer::visiting(self, &mut check)) }
        }
        assert_eq!(
            forgotten,
            self.remembered.len(),
            "the objects without OLD are those that are remembered"
        );
        if full {
            starts.extend(old.iter().map(|&obj| obj as usize));
        }
        self.known_starts = Some(starts);
    }

    /// Checks that all objects are old and refer only to objects, and that lines and
    /// counts agree with them.
    pub(crate) fn verify_after(&mut self) {
        self.known_starts = None;
        self.blocks.verify(&self.space);
        assert!(
            self.remembered.is_empty() && self.carded.is_empty() && self.windows.is_empty(),
            "after a collection nothing is young or remembered"
        );
        let mut live = 0;
        let mut lines = HashSet::new();
        self.each_marked(&mut |obj| {
            self.check_header(obj);
            // SAFETY: marked addresses are objects.
            unsafe {
                let header = *obj;
                assert!(
                    header & (Header::OLD | Header::CARDED | Header::FORWARDED) == Header::OLD,
                    "object {obj:p} has header {header:#x} after a collection"
                );
                if (obj as usize) < self.large.bottom() {
                    let first = obj as usize / LINE_BYTES;
                    let last = (obj as usize + self.object_size(obj) - 1) / LINE_BYTES;
                    for line in first..=last {
                        lines.insert(line);
                        assert!(
                            self.space.lines(line * LINE_BYTES, 1)[0] != 0,
                            "line {line:#x} of object {obj:p} is marked"
                        );
                    }
                }
                let mut check = |slot: *mut Value, v: Value| {
                    assert!(
                        v.bits() != POISON && self.space.is_marked(v.bits() as usize),
                        "slot {slot:p} of {obj:p} holds {v:?}, which is no live object"
                    );
                };
                self.trace_one(obj, &mut Tracer::visiting(self, &mut check));
            }
            live += 1;
        });
        assert_eq!(
            lines.len(),
            self.blocks.live_lines,
            "every marked line holds an object"
        );
        self.weak.each_ref(&mut |wr| {
            // SAFETY: registered weak references are alive after a collection.
            let referent = unsafe { *wr.add(1) } as usize;
            assert!(
                self.space.is_marked(wr as usize)
                    && (!self.space.contains(referent) || self.space.is_marked(referent)),
                "weak reference {wr:p} and its referent {referent:#x} are alive"
            );
        });
    }

    /// Checks kind and size of an object.
    fn check_header(&self, obj: *mut u64) {
        // SAFETY: callers pass what marks or windows say is an object; its first word is
        // readable in any case.
        let header = unsafe { *obj };
        assert!(
            (Header::kind(header) as usize) < self.kinds.len(),
            "object {obj:p}: header {header:#x} names a kind of the table"
        );
        let at = obj as usize;
        if at < self.large.bottom() {
            // SAFETY: the kind is valid.
            let bytes = unsafe { self.object_size(obj) };
            let offset = (at - self.space.base) % BLOCK;
            assert!(
                bytes > 0 && offset + bytes <= BLOCK,
                "object {obj:p} of {bytes} bytes ends within its block"
            );
        }
    }
}
