//! The assembler of one trace: operands in any place, literals, exits, cold code.
//!
//! An op asks for its operands with [`Asm::use_gpr`] and friends, which answer with a register: the
//! value's own, or a scratch register just loaded. It asks for the register of its result with
//! [`Asm::def_gpr`] and hands it back with [`Asm::end_gpr`], which stores it when the value lives in
//! a slot. So each lowering is written once and serves allocated and stack-only code.

use rustc_hash::FxHashMap;

use pyrite_jit_ir::{Const, OpRef, SnapshotId, Trace};
use pyrite_jit_regalloc::{Loc, Move, Reg, Step, sequentialize_each};

use crate::backend::LinkTarget;
use crate::blobs::Blobs;
use crate::code::{Code, CodeError, Label};
use crate::layout::Layout;
use crate::regs::{RAX, RSP, XMM_TMP};

/// `dynasm!` for this crate: emits into `$a.ops`.
macro_rules! asm {
    ($a:expr ; $($t:tt)*) => { ::dynasmrt::dynasm!($a.ops ; .arch x64 ; $($t)*) };
}
pub(crate) use asm;

/// Where an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A general purpose register.
    Gpr(u8),
    /// A floating-point register.
    Xmm(u8),
    /// At `[rsp + n]`.
    Slot(i32),
    /// A constant's bits.
    Imm(i64),
}

/// Arithmetic with two operands, the second of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Cmp,
}

/// Scalar double arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sse {
    Add,
    Sub,
    Mul,
    Div,
    Sqrt,
    Cmp,
}

/// Conditions of a jump, named and numbered as in the instruction set: a number's lowest bit says
/// whether the test is negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cond {
    O = 0x0,
    B = 0x2,
    Ae = 0x3,
    E = 0x4,
    Ne = 0x5,
    Be = 0x6,
    A = 0x7,
    P = 0xA,
    L = 0xC,
    Ge = 0xD,
    Le = 0xE,
    G = 0xF,
}

impl Cond {
    pub(crate) fn not_if(self, negate: bool) -> Self {
        if !negate {
            return self;
        }
        match self {
            Self::B => Self::Ae,
            Self::Ae => Self::B,
            Self::E => Self::Ne,
            Self::Ne => Self::E,
            Self::Be => Self::A,
            Self::A => Self::Be,
            Self::L => Self::Ge,
            Self::Ge => Self::L,
            Self::Le => Self::G,
            Self::G => Self::Le,
            Self::O | Self::P => unreachable!("overflow and parity are only tested as they are"),
        }
    }
}

/// Code that is emitted behind the hot path.
#[derive(Debug)]
pub(crate) enum Cold {
    /// Boxing met a NaN: box the canonical one of its sign and go back.
    CanonicalNan {
        start: Label,
        back: Label,
        dst: u8,
        src: u8,
    },
    /// The double-to-int conversion gave the "impossible" pattern: right for exactly -2^63.
    MinOrExit {
        start: Label,
        back: Label,
        src: u8,
        snapshot: SnapshotId,
    },
    /// The allocation window is too small.
    AllocSlow {
        start: Label,
        back: Label,
        site: u32,
    },
    /// A barrier fired for the object in the register.
    Barrier {
        start: Label,
        back: Label,
        object: u8,
    },
}

/// Moves to be done at once.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    pub(crate) copies: Vec<Move>,
    /// What else to load, and where to.
    constants: Vec<(i64, Loc)>,
}

/// See [`Asm::stubs`]; no displacement begins at the first byte after the start.
pub(crate) const STUB_WANTED: u32 = 1;

/// Literals that are found by looking through the list.
const FIRST_LITERALS: usize = 8;

pub(crate) struct Asm<'a> {
    pub(crate) ops: &'a mut Code,
    pub(crate) trace: &'a Trace,
    pub(crate) layout: &'a Layout,
    pub(crate) blobs: &'a Blobs,
    /// Place of each value, spill slots counted from `rsp`.
    pub(crate) locs: &'a [Loc],
    /// Words of the native frame, even.
    pub(crate) frame_words: u32,
    /// VM-stack slots from the window base that must stay visible to the collector.
    pub(crate) extent: i32,
    /// The root this trace ends in, if it does.
    pub(crate) link: Option<LinkTarget>,
    pub(crate) loop_head: Option<Label>,
    pub(crate) cold: Vec<Cold>,
    /// Offset of the 4-byte displacement of each jump to an exit stub.
    pub(crate) guards: Vec<(u32, SnapshotId)>,
    /// Offset of the five patchable bytes of each `valid`, and where they shall lead.
    pub(crate) valids: Vec<(u32, SnapshotId)>,
    /// First id of this trace's exits and of its allocation sites.
    pub(crate) first_exit: u32,
    pub(crate) first_site: u32,
    pub(crate) sites: u32,
    /// For each snapshot, the offset of its stub's jump displacement; 0: it needs no stub,
    /// [`STUB_WANTED`]: it will get one.
    pub(crate) stubs: Vec<u32>,
    /// Literals in order; few, and most are asked for again at once.
    pub(crate) literals: Vec<(u64, Label)>,
    literal_index: FxHashMap<u64, Label>,
    /// A list without moves, but with memory.
    pub(crate) spare_moves: Moves,
}

impl<'a> Asm<'a> {
    pub(crate) fn new(
        ops: &'a mut Code,
        base: usize,
        trace: &'a Trace,
        layout: &'a Layout,
        blobs: &'a Blobs,
        locs: &'a [Loc],
    ) -> Self {
        ops.restart(base);
        Self {
            ops,
            trace,
            layout,
            blobs,
            locs,
            frame_words: 0,
            extent: 0,
            link: None,
            loop_head: None,
            cold: Vec::new(),
            guards: Vec::new(),
            valids: Vec::new(),
            first_exit: 0,
            first_site: 0,
            sites: 0,
            stubs: Vec::new(),
            literals: Vec::new(),
            literal_index: FxHashMap::default(),
            spare_moves: Moves::default(),
        }
    }

    pub(crate) fn label(&mut self) -> Label {
        self.ops.label()
    }

    pub(crate) fn bind(&mut self, label: Label) {
        asm!(self ; =>label);
    }

    // --- operands -------------------------------------------------------------------------------

    /// Where the value or constant is. Values that nobody reads have no place and are never asked for.
    pub(crate) fn place(&self, r: OpRef) -> Place {
        match self.trace.as_const(r) {
            Some(Const::Int(i)) => return Place::Imm(i),
            Some(Const::Flt(bits) | Const::Val(bits)) => return Place::Imm(bits as i64),
            None => {}
        }
        let op = r.as_op().expect("operands are values or constants");
        match self.locs[op] {
            Loc::Reg(reg) => self.reg_place(reg),
            Loc::Spill(slot) => Place::Slot(8 * slot as i32),
            Loc::None => unreachable!("value {op} is read, so it has a place"),
        }
    }

    fn reg_place(&self, reg: Reg) -> Place {
        match reg.class() {
            pyrite_jit_regalloc::Class::Gpr => Place::Gpr(reg.number()),
            pyrite_jit_regalloc::Class::Xmm => Place::Xmm(reg.number()),
        }
    }

    /// The label of a 64-bit literal behind the trace's code.
    pub(crate) fn literal(&mut self, bits: u64) -> Label {
        let first = &self.literals[..self.literals.len().min(FIRST_LITERALS)];
        if let Some(&(_, label)) = first.iter().find(|(other, _)| *other == bits) {
            return label;
        }
        if let Some(&label) = self.literal_index.get(&bits) {
            return label;
        }
        let label = self.label();
        if self.literals.len() >= FIRST_LITERALS {
            self.literal_index.insert(bits, label);
        }
        self.literals.push((bits, label));
        label
    }

    /// `dst = bits`, by the shortest instruction; flags may change.
    pub(crate) fn load_imm(&mut self, dst: u8, bits: i64) {
        if bits == 0 {
            asm!(self ; xor Rd(dst), Rd(dst));
        } else if let Ok(small) = u32::try_from(bits) {
            asm!(self ; mov Rd(dst), small as i32);
        } else if let Ok(small) = i32::try_from(bits) {
            asm!(self ; mov Rq(dst), DWORD small);
        } else {
            asm!(self ; mov Rq(dst), QWORD bits);
        }
    }

    /// `dst = r`.
    pub(crate) fn load_gpr(&mut self, dst: u8, r: OpRef) {
        match self.place(r) {
            Place::Gpr(src) if src == dst => {}
            Place::Gpr(src) => asm!(self ; mov Rq(dst), Rq(src)),
            Place::Slot(at) => match i8::try_from(at) {
                Ok(at) => asm!(self ; mov Rq(dst), [BYTE rsp + at]),
                Err(_) => asm!(self ; mov Rq(dst), [rsp + at]),
            },
            Place::Imm(bits) => self.load_imm(dst, bits),
            Place::Xmm(_) => unreachable!("an integer operand is not in a floating-point register"),
        }
    }

    /// A register that holds `r`: its own, or `scratch`.
    pub(crate) fn use_gpr(&mut self, r: OpRef, scratch: u8) -> u8 {
        match self.place(r) {
            Place::Gpr(reg) => reg,
            _ => {
                self.load_gpr(scratch, r);
                scratch
            }
        }
    }

    /// The register to compute the result `r` in; `rax` when it lives in a slot or nowhere.
    pub(crate) fn def_gpr(&self, r: OpRef) -> u8 {
        match r.as_op().map(|i| self.locs[i]) {
            Some(Loc::Reg(reg)) => reg.number(),
            _ => RAX,
        }
    }

    /// Puts the result `r`, computed in `reg`, to its place.
    pub(crate) fn end_gpr(&mut self, r: OpRef, reg: u8) {
        match r.as_op().map(|i| self.locs[i]) {
            Some(Loc::Reg(own)) if own.number() == reg => {}
            Some(Loc::Reg(own)) => asm!(self ; mov Rq(own.number()), Rq(reg)),
            Some(Loc::Spill(slot)) => match i8::try_from(8 * slot) {
                Ok(at) => asm!(self ; mov [BYTE rsp + at], Rq(reg)),
                Err(_) => asm!(self ; mov [rsp + 8 * slot as i32], Rq(reg)),
            },
            _ => {}
        }
    }

    /// True when the value `r` sits in this very register.
    pub(crate) fn is_in(&self, r: OpRef, reg: u8) -> bool {
        self.place(r) == Place::Gpr(reg)
    }

    /// `dst = r` for doubles.
    pub(crate) fn load_xmm(&mut self, dst: u8, r: OpRef) {
        match self.place(r) {
            Place::Xmm(src) if src == dst => {}
            Place::Xmm(src) => asm!(self ; movaps Rx(dst), Rx(src)),
            Place::Slot(at) => match i8::try_from(at) {
                Ok(at) => asm!(self ; movsd Rx(dst), [BYTE rsp + at]),
                Err(_) => asm!(self ; movsd Rx(dst), [rsp + at]),
            },
            Place::Imm(0) => asm!(self ; xorps Rx(dst), Rx(dst)),
            Place::Imm(bits) => {
                let literal = self.literal(bits as u64);
                asm!(self ; movsd Rx(dst), [=>literal]);
            }
            Place::Gpr(_) => unreachable!("a double is not in a general purpose register"),
        }
    }

    pub(crate) fn use_xmm(&mut self, r: OpRef, scratch: u8) -> u8 {
        match self.place(r) {
            Place::Xmm(reg) => reg,
            _ => {
                self.load_xmm(scratch, r);
                scratch
            }
        }
    }

    pub(crate) fn def_xmm(&self, r: OpRef) -> u8 {
        match r.as_op().map(|i| self.locs[i]) {
            Some(Loc::Reg(reg)) => reg.number(),
            _ => XMM_TMP,
        }
    }

    pub(crate) fn end_xmm(&mut self, r: OpRef, reg: u8) {
        match r.as_op().map(|i| self.locs[i]) {
            Some(Loc::Reg(own)) if own.number() == reg => {}
            Some(Loc::Reg(own)) => asm!(self ; movaps Rx(own.number()), Rx(reg)),
            Some(Loc::Spill(slot)) => match i8::try_from(8 * slot) {
                Ok(at) => asm!(self ; movsd [BYTE rsp + at], Rx(reg)),
                Err(_) => asm!(self ; movsd [rsp + 8 * slot as i32], Rx(reg)),
            },
            _ => {}
        }
    }

    /// `dst = dst op src`, or the comparison of the two.
    pub(crate) fn alu(&mut self, op: Alu, dst: u8, src: Place) {
        macro_rules! emit {
            ($($source:tt)*) => {
                match op {
                    Alu::Add => asm!(self ; add Rq(dst), $($source)*),
                    Alu::Sub => asm!(self ; sub Rq(dst), $($source)*),
                    Alu::And => asm!(self ; and Rq(dst), $($source)*),
                    Alu::Or => asm!(self ; or Rq(dst), $($source)*),
                    Alu::Xor => asm!(self ; xor Rq(dst), $($source)*),
                    Alu::Cmp => asm!(self ; cmp Rq(dst), $($source)*),
                }
            };
        }
        match src {
            Place::Gpr(reg) => emit!(Rq(reg)),
            Place::Slot(at) => match i8::try_from(at) {
                Ok(at) => emit!([BYTE rsp + at]),
                Err(_) => emit!([rsp + at]),
            },
            Place::Imm(bits) => {
                if let Ok(byte) = i8::try_from(bits) {
                    emit!(BYTE byte as _)
                } else if let Ok(dword) = i32::try_from(bits) {
                    emit!(DWORD dword)
                } else {
                    let literal = self.literal(bits as u64);
                    emit!([=>literal])
                }
            }
            Place::Xmm(_) => unreachable!("an integer operand is not in a floating-point register"),
        }
    }

    /// `dst = dst op src` for doubles, or the comparison, or the root of `src`.
    pub(crate) fn sse(&mut self, op: Sse, dst: u8, src: Place) {
        macro_rules! emit {
            ($($source:tt)*) => {
                match op {
                    Sse::Add => asm!(self ; addsd Rx(dst), $($source)*),
                    Sse::Sub => asm!(self ; subsd Rx(dst), $($source)*),
                    Sse::Mul => asm!(self ; mulsd Rx(dst), $($source)*),
                    Sse::Div => asm!(self ; divsd Rx(dst), $($source)*),
                    Sse::Sqrt => asm!(self ; sqrtsd Rx(dst), $($source)*),
                    Sse::Cmp => asm!(self ; ucomisd Rx(dst), $($source)*),
                }
            };
        }
        match src {
            Place::Xmm(reg) => emit!(Rx(reg)),
            Place::Slot(at) => match i8::try_from(at) {
                Ok(at) => emit!([BYTE rsp + at]),
                Err(_) => emit!([rsp + at]),
            },
            Place::Imm(bits) => {
                let literal = self.literal(bits as u64);
                emit!([=>literal])
            }
            Place::Gpr(_) => unreachable!("a double is not in a general purpose register"),
        }
    }

    // --- control --------------------------------------------------------------------------------

    /// Jumps to `label` when the condition holds.
    pub(crate) fn jump_if(&mut self, cond: Cond, label: Label) {
        self.ops.jump_if(cond as u8);
        self.ops.refer(label);
    }

    /// Asks for the stub of a snapshot.
    pub(crate) fn need_stub(&mut self, snapshot: SnapshotId) {
        self.stubs[snapshot.index()] = STUB_WANTED;
    }

    /// Leaves by `snapshot` when the condition holds.
    pub(crate) fn exit_if(&mut self, cond: Cond, snapshot: SnapshotId) {
        self.ops.jump_if(cond as u8);
        self.lead_out(snapshot);
    }

    /// Leaves by `snapshot`.
    pub(crate) fn exit_always(&mut self, snapshot: SnapshotId) {
        self.ops.extend(&[0xE9, 0, 0, 0, 0]);
        self.lead_out(snapshot);
    }

    /// The jump just written leads to the stub of a snapshot, which comes later.
    fn lead_out(&mut self, snapshot: SnapshotId) {
        self.need_stub(snapshot);
        let at = self.ops.offset() as u32 - 4;
        self.guards.push((at, snapshot));
    }

    /// Fills up with no-operations until the offset plus `ahead` is a multiple of `align`.
    pub(crate) fn pad(&mut self, align: usize, ahead: usize) {
        let mut left = (align - (self.ops.offset() + ahead) % align) % align;
        while left > 0 {
            let n = left.min(8);
            let bytes: &[u8] = match n {
                1 => &[0x90],
                2 => &[0x66, 0x90],
                3 => &[0x0F, 0x1F, 0x00],
                4 => &[0x0F, 0x1F, 0x40, 0x00],
                5 => &[0x0F, 0x1F, 0x44, 0x00, 0x00],
                6 => &[0x66, 0x0F, 0x1F, 0x44, 0x00, 0x00],
                7 => &[0x0F, 0x1F, 0x80, 0x00, 0x00, 0x00, 0x00],
                _ => &[0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
            };
            self.ops.extend(bytes);
            left -= n;
        }
    }

    // --- moves ----------------------------------------------------------------------------------

    /// Does all copies at once, then loads the constants.
    pub(crate) fn parallel(&mut self, mut moves: Moves) {
        let Moves { copies, constants } = &mut moves;
        sequentialize_each(copies, |step| {
            match step {
                Step::Copy(m) => self.copy(m.from, m.to),
                // Slot-to-slot copies pass through rax, so what is kept aside waits elsewhere.
                Step::Save(Loc::Reg(reg)) if reg.class() == pyrite_jit_regalloc::Class::Gpr => {
                    asm!(self ; movq Rx(XMM_TMP), Rq(reg.number()));
                }
                Step::Save(Loc::Reg(reg)) => asm!(self ; movaps Rx(XMM_TMP), Rx(reg.number())),
                Step::Save(Loc::Spill(slot)) => {
                    asm!(self ; movsd Rx(XMM_TMP), [Rq(RSP) + 8 * slot as i32])
                }
                Step::Restore(Loc::Reg(reg)) if reg.class() == pyrite_jit_regalloc::Class::Gpr => {
                    asm!(self ; movq Rq(reg.number()), Rx(XMM_TMP));
                }
                Step::Restore(Loc::Reg(reg)) => asm!(self ; movaps Rx(reg.number()), Rx(XMM_TMP)),
                Step::Restore(Loc::Spill(slot)) => {
                    asm!(self ; movsd [Rq(RSP) + 8 * slot as i32], Rx(XMM_TMP))
                }
                Step::Save(Loc::None) | Step::Restore(Loc::None) => {}
            }
        });
        for (bits, to) in constants.drain(..) {
            match to {
                Loc::Reg(reg) if reg.class() == pyrite_jit_regalloc::Class::Gpr => {
                    self.load_imm(reg.number(), bits)
                }
                Loc::Reg(reg) if bits == 0 => asm!(self ; xorps Rx(reg.number()), Rx(reg.number())),
                Loc::Reg(reg) => {
                    let literal = self.literal(bits as u64);
                    asm!(self ; movsd Rx(reg.number()), [=>literal]);
                }
                Loc::Spill(slot) => {
                    let at = 8 * slot as i32;
                    if let Ok(small) = i32::try_from(bits) {
                        asm!(self ; mov QWORD [Rq(RSP) + at], DWORD small);
                    } else {
                        self.load_imm(RAX, bits);
                        asm!(self ; mov [Rq(RSP) + at], Rq(RAX));
                    }
                }
                Loc::None => {}
            }
        }
        self.spare_moves = moves;
    }

    fn copy(&mut self, from: Loc, to: Loc) {
        use pyrite_jit_regalloc::Class::{Gpr, Xmm};
        let class = |reg: Reg| reg.class();
        match (from, to) {
            (Loc::Reg(s), Loc::Reg(d)) => match (class(s), class(d)) {
                (Gpr, Gpr) => asm!(self ; mov Rq(d.number()), Rq(s.number())),
                (Xmm, Xmm) => asm!(self ; movaps Rx(d.number()), Rx(s.number())),
                (Gpr, Xmm) => asm!(self ; movq Rx(d.number()), Rq(s.number())),
                (Xmm, Gpr) => asm!(self ; movq Rq(d.number()), Rx(s.number())),
            },
            (Loc::Reg(s), Loc::Spill(slot)) => match class(s) {
                Gpr => asm!(self ; mov [Rq(RSP) + 8 * slot as i32], Rq(s.number())),
                Xmm => asm!(self ; movsd [Rq(RSP) + 8 * slot as i32], Rx(s.number())),
            },
            (Loc::Spill(slot), Loc::Reg(d)) => match class(d) {
                Gpr => asm!(self ; mov Rq(d.number()), [Rq(RSP) + 8 * slot as i32]),
                Xmm => asm!(self ; movsd Rx(d.number()), [Rq(RSP) + 8 * slot as i32]),
            },
            (Loc::Spill(s), Loc::Spill(d)) => {
                asm!(self ; mov Rq(RAX), [Rq(RSP) + 8 * s as i32] ; mov [Rq(RSP) + 8 * d as i32], Rq(RAX));
            }
            (Loc::None, _) | (_, Loc::None) => {}
        }
    }

    /// The moves that the phis of the loop take at one of its edges, given as `(phi, value)`.
    pub(crate) fn phi_moves(&mut self, phis: impl Iterator<Item = (usize, OpRef)>) {
        let mut moves = self.moves();
        for (phi, value) in phis {
            let to = self.locs[phi];
            if to != Loc::None {
                self.wish(&mut moves, value, to);
            }
        }
        self.parallel(moves);
    }

    /// An empty list of moves, for [`Asm::parallel`].
    pub(crate) fn moves(&mut self) -> Moves {
        std::mem::take(&mut self.spare_moves)
    }

    /// Adds a wish to a list: `to` shall hold `value`.
    pub(crate) fn wish(&self, moves: &mut Moves, value: OpRef, to: Loc) {
        match (value.as_op(), self.place(value)) {
            (Some(op), _) => moves.copies.push(Move {
                from: self.locs[op],
                to,
            }),
            (None, Place::Imm(bits)) => moves.constants.push((bits, to)),
            _ => unreachable!("a value that is no op is a constant"),
        }
    }

    /// Emits the literals, 8-byte aligned, and settles all references; returns where the literals
    /// start.
    pub(crate) fn finish(&mut self) -> Result<usize, CodeError> {
        while !self.ops.offset().is_multiple_of(8) {
            self.ops.push(0xCC);
        }
        let code_len = self.ops.offset();
        for &(bits, label) in &self.literals {
            self.ops.dynamic_label(label);
            self.ops.push_u64(bits);
        }
        self.ops.finish()?;
        Ok(code_len)
    }
}
