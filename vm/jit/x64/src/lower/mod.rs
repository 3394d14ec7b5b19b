//! Lowering: one function per op, one file per family.
//!
//! `match` below is the only dispatch; an op that is missing there does not compile.

mod alloc;
mod boxing;
mod call;
mod control;
mod float;
mod guards;
mod int;
mod memory;

use pyrite_jit_ir::{Op, OpCode, OpRef, SnapshotId};

use crate::asm::{Asm, Cold, asm};

pub(crate) use alloc::object_bytes;
pub(crate) use call::{ACTIVATION_EXIT, ACTIVATION_FRAME, outgoing_words};

/// Emits one op.
pub(crate) fn op(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    use OpCode as C;
    match op.code {
        // Inherited values and phis are where the moves at their edges put them.
        C::Param | C::Phi => {}
        C::Slot => memory::slot(a, r, op),
        C::IsInt | C::IsFlt | C::IsPtr | C::NonNull | C::Shape | C::Same => guards::word(a, op),
        C::ILt | C::ILe | C::IEq | C::ULt => guards::int(a, op),
        C::FLt | C::FLe | C::FEq => guards::float(a, op),
        C::Poll => guards::poll(a, op),
        C::Valid => guards::valid(a, op),
        C::UnboxInt => boxing::unbox_int(a, r, op),
        C::UnboxFlt => boxing::unbox_flt(a, r, op),
        C::BoxInt => boxing::box_int(a, r, op),
        C::BoxFlt => boxing::box_flt(a, r, op),
        C::I2F => float::from_int(a, r, op),
        C::F2I => float::to_int(a, r, op),
        C::IAddOvf
        | C::ISubOvf
        | C::IMulOvf
        | C::IAdd
        | C::ISub
        | C::IMul
        | C::IAnd
        | C::IOr
        | C::IXor => {
            int::binary(a, r, op);
        }
        C::IShl | C::IShr => int::shift(a, r, op),
        C::IDiv | C::IMod => int::divide(a, r, op),
        C::FAdd | C::FSub | C::FMul | C::FDiv => float::binary(a, r, op),
        C::FNeg | C::FAbs => float::sign(a, r, op),
        C::FSqrt | C::FFloor => float::unary(a, r, op),
        C::LdVal | C::LdI64 | C::LdU32 | C::LdU8 | C::LdShape => memory::load_field(a, r, op),
        C::LdElem | C::LdElemI64 | C::LdElemU32 | C::LdElemU16 | C::LdElemU8 => {
            memory::load_elem(a, r, op)
        }
        C::LdVm => memory::load_vm(a, r, op),
        C::StVal | C::StI64 | C::StU32 | C::StU8 => memory::store_field(a, op),
        C::StShape => memory::store_shape(a, op),
        C::StElem | C::StElemI64 | C::StElemU8 => memory::store_elem(a, op),
        C::StVm => memory::store_vm(a, op),
        C::StSlot => memory::store_slot(a, op),
        C::Barrier => alloc::barrier(a, op),
        C::New => alloc::new(a, r, op),
        C::Call => call::call(a, r, op),
        C::Loop => control::loop_head(a, r),
        C::Jump => control::jump(a, op),
        C::Link | C::Exit => control::end(a, op),
        C::Ret => control::ret(a, op),
    }
}

/// The snapshot of an op that may leave the trace.
fn snapshot(op: &Op) -> SnapshotId {
    op.snap
        .expect("the verifier has seen that a guard has a snapshot")
}

/// Emits what the hot path left for later.
pub(crate) fn cold(a: &mut Asm<'_>) {
    while !a.cold.is_empty() {
        let mut all = std::mem::take(&mut a.cold);
        for cold in all.drain(..) {
            match cold {
                Cold::CanonicalNan {
                    start,
                    back,
                    dst,
                    src,
                } => {
                    a.bind(start);
                    boxing::canonical_nan(a, dst, src);
                    asm!(a ; jmp =>back);
                }
                Cold::MinOrExit {
                    start,
                    back,
                    src,
                    snapshot,
                } => {
                    a.bind(start);
                    float::min_or_exit(a, src, snapshot);
                    asm!(a ; jmp =>back);
                }
                Cold::AllocSlow { start, back, site } => {
                    a.bind(start);
                    alloc::slow(a, site);
                    asm!(a ; jmp =>back);
                }
                Cold::Barrier {
                    start,
                    back,
                    object,
                } => {
                    a.bind(start);
                    alloc::barrier_slow(a, object);
                    asm!(a ; jmp =>back);
                }
            }
        }
        if a.cold.is_empty() {
            // Its memory is for the next trace.
            a.cold = all;
            return;
        }
    }
}
