//! The bytes of one trace while they are written, with labels.
//!
//! `dynasm!` calls methods by name on what it writes to. This is such a thing for straight code of
//! one kind of references: 4 bytes relative to the end of the instruction. It keeps its memory from
//! trace to trace, and a reference to what is already there is settled at once, so that a trace costs
//! no allocation and few fix-ups.

/// A place in the code, maybe still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label(u32);

/// Offset of a label that is not bound yet.
const UNBOUND: u32 = u32::MAX;

/// A 4-byte field that waits for its label.
#[derive(Debug, Clone, Copy)]
struct Fixup {
    field: u32,
    /// Where the field counts from.
    from: u32,
    label: Label,
}

/// What cannot be assembled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeError {
    #[error("a label was used and never bound")]
    Unbound,
    #[error("{0:#x} is out of reach")]
    OutOfReach(usize),
}

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Code {
    bytes: Vec<u8>,
    /// Address the first byte will have.
    base: usize,
    /// Offset of each label.
    labels: Vec<u32>,
    fixups: Vec<Fixup>,
    error: Option<CodeError>,
}

impl Code {
    /// Starts over, for code at another address.
    pub(crate) fn restart(&mut self, base: usize) {
        self.bytes.clear();
        self.labels.clear();
        self.fixups.clear();
        (self.base, self.error) = (base, None);
    }

    /// A label that is bound nowhere yet.
    #[inline]
    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(UNBOUND);
        Label(self.labels.len() as u32 - 1)
    }

    /// Bytes so far.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.bytes.len()
    }

    /// Settles what waits for labels; then [`Code::bytes`] is the code.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub(crate) fn finish(&mut self) -> Result<(), CodeError> {
        for i in 0..self.fixups.len() {
            let Fixup { field, from, label } = self.fixups[i];
            let target = self.labels[label.0 as usize];
            if target == UNBOUND {
                return Err(CodeError::Unbound);
            }
            self.put(field as usize, target.wrapping_sub(from));
        }
        self.fixups.clear();
        self.error.map_or(Ok(()), Err)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    fn put(&mut self, at: usize, field: u32) {
        self.bytes[at..at + 4].copy_from_slice(&field.to_le_bytes());
    }

    /// A jump under a condition, by the condition's number, which leads nowhere yet.
    #[inline]
    pub(crate) fn jump_if(&mut self, cond: u8) {
        self.extend(&[0x0F, 0x80 | cond, 0, 0, 0, 0]);
    }

    /// The last 4 bytes shall lead to a label, counted from behind them.
    #[inline]
    pub(crate) fn refer(&mut self, label: Label) {
        self.dynamic_reloc(label, 0, 4, 0, RELATIVE);
    }

    /// Leads the jump whose displacement is at `field` to another offset.
    #[inline]
    pub(crate) fn lead(&mut self, field: u32, target: u32) {
        self.put(field as usize, target.wrapping_sub(field + 4));
    }

    // --- what `dynasm!` calls ---

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[inline]
    pub(crate) fn push_i8(&mut self, value: i8) {
        self.bytes.push(value as u8);
    }

    #[inline]
    pub(crate) fn push_i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    pub(crate) fn push_i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    pub(crate) fn push_u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Binds a label here.
    #[inline]
    pub(crate) fn dynamic_label(&mut self, label: Label) {
        debug_assert_eq!(
            self.labels[label.0 as usize], UNBOUND,
            "a label is bound once"
        );
        self.labels[label.0 as usize] = self.bytes.len() as u32;
    }

    /// The instruction just written refers to a label: its field begins `field` bytes back and counts
    /// from `from` bytes back.
    #[inline]
    pub(crate) fn dynamic_reloc(
        &mut self,
        label: Label,
        add: isize,
        field: u8,
        from: u8,
        kind: u8,
    ) {
        debug_assert!(
            kind == RELATIVE && add == 0,
            "references are 4 bytes, to labels"
        );
        let end = self.bytes.len() as u32;
        let (field, from) = (end - u32::from(field), end - u32::from(from));
        match self.labels[label.0 as usize] {
            UNBOUND => self.fixups.push(Fixup { field, from, label }),
            target => self.put(field as usize, target.wrapping_sub(from)),
        }
    }

    /// The instruction just written refers to an address outside.
    pub(crate) fn value_reloc(&mut self, target: usize, field: u8, from: u8, kind: u8) {
        debug_assert_eq!(kind, TO_ADDRESS, "references are 4 bytes");
        let end = self.bytes.len();
        let distance = target.wrapping_sub(self.base + end - usize::from(from)) as isize;
        match i32::try_from(distance) {
            Ok(distance) => self.put(end - usize::from(field), distance as u32),
            Err(_) => self.error = Some(CodeError::OutOfReach(target)),
        }
    }
}

/// How `dynasm!` says "4 bytes, relative to another place in this code".
const RELATIVE: u8 = 2;

/// "4 bytes, relative, to an address".
const TO_ADDRESS: u8 = 0x80 | 2;

#[cfg(test)]
mod tests {
    use super::*;

    struct Writer {
        ops: Code,
    }

    macro_rules! asm {
        ($a:expr ; $($t:tt)*) => { ::dynasmrt::dynasm!($a.ops ; .arch x64 ; $($t)*) };
    }

    #[test]
    fn jumps_go_back_and_forth() {
        let mut w = Writer {
            ops: Code::default(),
        };
        w.ops.restart(0x1000);
        let (start, end) = (w.ops.label(), w.ops.label());
        asm!(w ; =>start ; jmp =>end ; jmp =>start ; cmp rax, [=>end] ; jmp extern 0x1100 ; =>end ; ret);
        w.ops.finish().expect("all labels are bound");
        let mut d = iced_x86::Decoder::with_ip(64, w.ops.bytes(), 0x1000, 0);
        let targets: Vec<u64> = std::iter::from_fn(|| d.can_decode().then(|| d.decode()))
            .map(|i| match i.mnemonic() {
                iced_x86::Mnemonic::Cmp => i.memory_displacement64(),
                _ => i.near_branch64(),
            })
            .collect();
        assert_eq!(targets, [0x1016, 0x1000, 0x1016, 0x1100, 0]);
    }

    #[test]
    fn refuses_what_leads_nowhere() {
        let mut w = Writer {
            ops: Code::default(),
        };
        w.ops.restart(0x1000);
        let label = w.ops.label();
        asm!(w ; jmp =>label);
        assert_eq!(w.ops.finish(), Err(CodeError::Unbound));
        w.ops.restart(0x1000);
        asm!(w ; jmp extern 0x10_0000_0000);
        assert_eq!(w.ops.finish(), Err(CodeError::OutOfReach(0x10_0000_0000)));
        w.ops.restart(0x1000);
        assert_eq!((w.ops.finish(), w.ops.bytes().len()), (Ok(()), 0));
    }
}
