//! The evaluator proper, and the exit that rebuilds slots.

use std::collections::HashMap;

use pyrite_jit_ir::ops::Place;
use pyrite_jit_ir::{
    CallTarget, Const, Kind, Op, OpCode, OpRef, Resume, Snapshot, SnapshotId, Trace, TraceId, Ty,
    Width, word,
};

use crate::{EvalError, Memory};

/// The state a trace runs on.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub memory: Memory,
    /// VM-stack slots relative to the trace's window base.
    pub slots: HashMap<i32, u64>,
    /// VM-state words by byte offset.
    pub vm: HashMap<i32, u64>,
    /// Header of the object that holds an int outside 50 bits in its second word.
    pub heap_int_header: u64,
    /// Has the trace's assumption been withdrawn (`valid` fails)?
    pub invalid: bool,
}

impl Machine {
    /// The word of an int, a heap int outside 50 bits.
    ///
    /// # Errors
    /// Never in practice; the heap int is written right after it is made.
    pub fn box_int(&mut self, value: i64) -> Result<u64, EvalError> {
        if let Some(word) = word::box_int(value) {
            return Ok(word);
        }
        let object = self.memory.alloc(2, self.heap_int_header);
        self.memory.write(object + 8, Width::I64, value as u64)?;
        Ok(object)
    }
}

/// Functions that traces call.
pub trait Host {
    /// Performs a call. Arguments and result are raw: ints, bits of doubles, words.
    ///
    /// # Errors
    /// The function is unknown, or what it did to memory failed.
    fn call(
        &mut self,
        target: &CallTarget,
        args: &[u64],
        machine: &mut Machine,
    ) -> Result<u64, EvalError>;
}

/// A host without functions.
#[derive(Clone, Copy, Debug)]
pub struct NoCalls;

impl Host for NoCalls {
    fn call(&mut self, target: &CallTarget, _: &[u64], _: &mut Machine) -> Result<u64, EvalError> {
        Err(EvalError::UnknownCall(target.name.to_string()))
    }
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Exit(Exit),
    /// The entry of that root comes next.
    Link(TraceId),
    /// The frame is done, with this word.
    Return(u64),
    /// The allowed number of jumps was used up.
    Limit,
}

/// A side exit that was taken; slots are not yet rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    pub snapshot: SnapshotId,
    /// Index of the op that left.
    pub op: usize,
    /// Raw values of [`Snapshot::live_values`], which are also a bridge's params.
    pub live: Vec<u64>,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub end: End,
    /// Number of jumps back to the loop header.
    pub jumps: u64,
    /// Number of ops executed.
    pub steps: u64,
}

/// Runs a trace until it leaves, links, or has jumped back `max_jumps` times.
///
/// `params` are the raw values of a bridge's params, in the order of the parent exit's live values.
///
/// # Errors
/// The trace did something no correct trace does.
pub fn run(
    trace: &Trace,
    machine: &mut Machine,
    host: &mut dyn Host,
    params: &[u64],
    max_jumps: u64,
) -> Result<Outcome, EvalError> {
    let mut eval = Eval {
        trace,
        machine,
        host,
        params,
        values: vec![0; trace.ops.len()],
    };
    let (mut at, mut jumps, mut steps) = (0, 0, 0);
    loop {
        let op = trace.ops.get(at).ok_or(EvalError::NoEnd)?;
        steps += 1;
        let done = |end| Ok(Outcome { end, jumps, steps });
        match op.code {
            OpCode::Jump if jumps == max_jumps => return done(End::Limit),
            OpCode::Jump => {
                jumps += 1;
                at = eval.jump(op)?;
                continue;
            }
            OpCode::Ret => return done(End::Return(eval.raw(op.a))),
            OpCode::Link => return done(End::Link(TraceId(op.imm as u32))),
            OpCode::Exit => return done(End::Exit(eval.leave(at, op))),
            _ => {}
        }
        match eval.step(op)? {
            Some(value) => eval.values[at] = value,
            None => return done(End::Exit(eval.leave(at, op))),
        }
        at += 1;
    }
}

/// Rebuilds the VM stack as the exit's snapshot says: makes virtual objects, boxes, writes slots.
/// Returns the value that the second half of the bytecode waits for, if there is one.
///
/// # Errors
/// The snapshot describes an impossible object.
pub fn restore(
    trace: &Trace,
    exit: &Exit,
    machine: &mut Machine,
) -> Result<Option<u64>, EvalError> {
    let snapshot = trace.snapshot(exit.snapshot);
    let mut restorer = Restorer {
        trace,
        snapshot,
        exit,
        machine,
        objects: Vec::new(),
    };
    restorer.objects()?;
    for &(slot, r) in &snapshot.entries {
        let word = restorer.word(r)?;
        restorer.machine.slots.insert(slot, word);
    }
    match snapshot.mode {
        Resume::Finish { val, .. } => Ok(Some(restorer.word(val)?)),
        Resume::Reexec => Ok(None),
    }
}

struct Restorer<'r> {
    trace: &'r Trace,
    snapshot: &'r Snapshot,
    exit: &'r Exit,
    machine: &'r mut Machine,
    objects: Vec<u64>,
}

impl Restorer<'_> {
    fn objects(&mut self) -> Result<(), EvalError> {
        for object in &self.snapshot.virtuals {
            let address = self.machine.memory.alloc(object.words, object.header);
            for word in 1..u64::from(object.words) {
                self.machine
                    .memory
                    .write(address + word * 8, Width::I64, 0)?;
            }
            self.objects.push(address);
        }
        for (i, object) in self.snapshot.virtuals.iter().enumerate() {
            for field in &object.fields {
                let value = if field.width == Width::Val {
                    self.word(field.val)?
                } else {
                    self.raw(field.val)
                };
                let address = self.objects[i].wrapping_add_signed(field.offset.into());
                self.machine.memory.write(address, field.width, value)?;
            }
        }
        Ok(())
    }

    fn raw(&self, r: OpRef) -> u64 {
        if let Some(i) = r.as_virtual() {
            return self.objects[i];
        }
        if let Some(value) = self.trace.as_const(r) {
            return raw_const(value);
        }
        let live = self.snapshot.live_values();
        live.iter()
            .position(|&l| l == r)
            .map_or(0, |i| self.exit.live[i])
    }

    fn word(&mut self, r: OpRef) -> Result<u64, EvalError> {
        let raw = self.raw(r);
        match self.trace.ty(r) {
            Ty::Int => self.machine.box_int(raw as i64),
            Ty::Flt => Ok(word::box_flt(f64::from_bits(raw))),
            _ => Ok(raw),
        }
    }
}

fn raw_const(value: Const) -> u64 {
    match value {
        Const::Int(i) => i as u64,
        Const::Flt(bits) | Const::Val(bits) => bits,
    }
}

struct Eval<'r> {
    trace: &'r Trace,
    machine: &'r mut Machine,
    host: &'r mut dyn Host,
    params: &'r [u64],
    values: Vec<u64>,
}

impl Eval<'_> {
    fn raw(&self, r: OpRef) -> u64 {
        match (r.as_op(), self.trace.as_const(r)) {
            (Some(i), _) => self.values[i],
            (_, Some(value)) => raw_const(value),
            _ => 0,
        }
    }

    fn leave(&self, at: usize, op: &Op) -> Exit {
        let snapshot = op.snap.unwrap_or(SnapshotId(0));
        let live = self.trace.snapshot(snapshot).live_values();
        Exit {
            snapshot,
            op: at,
            live: live.into_iter().map(|r| self.raw(r)).collect(),
        }
    }

    /// Feeds the phis, all at once; returns the index of the first op behind them.
    fn jump(&mut self, op: &Op) -> Result<usize, EvalError> {
        let next: Vec<u64> = self
            .trace
            .list(op.list)
            .iter()
            .map(|&r| self.raw(r))
            .collect();
        let first = self.trace.loop_index().ok_or(EvalError::NoEnd)? + 1;
        self.values[first..first + next.len()].copy_from_slice(&next);
        Ok(first + next.len())
    }

    /// Executes an op; `None` leaves the trace.
    fn step(&mut self, op: &Op) -> Result<Option<u64>, EvalError> {
        let (a, b) = (self.raw(op.a), self.raw(op.b));
        match op.code.info().kind {
            Kind::Input => self.input(op).map(Some),
            Kind::Guard => Ok((self.condition(op)? == op.expect).then_some(0)),
            Kind::Pure | Kind::PureGuard => match op.code.info().operands[0] {
                Ty::Flt => Ok(float_op(op.code, f64::from_bits(a), f64::from_bits(b))),
                Ty::Int => int_op(op.code, a as i64, b as i64),
                _ => unbox(op.code, a).map(Some),
            },
            Kind::Load => self.load(op).map(Some),
            Kind::Store => self.store(op).map(|()| Some(0)),
            Kind::Alloc => Ok(Some(self.machine.memory.alloc(op.imm as u32, a))),
            Kind::Barrier => Ok(Some(0)),
            Kind::Call => {
                let args: Vec<u64> = self
                    .trace
                    .list(op.list)
                    .iter()
                    .map(|&r| self.raw(r))
                    .collect();
                self.host
                    .call(self.trace.target(op), &args, self.machine)
                    .map(Some)
            }
            Kind::Control => Ok(Some(0)),
        }
    }

    fn input(&self, op: &Op) -> Result<u64, EvalError> {
        match op.code {
            OpCode::Slot => self
                .machine
                .slots
                .get(&op.imm)
                .copied()
                .ok_or(EvalError::BadSlot(op.imm)),
            OpCode::Param => self
                .params
                .get(op.imm as usize)
                .copied()
                .ok_or(EvalError::BadParam(op.imm)),
            _ => Ok(self.raw(op.a)),
        }
    }

    fn condition(&self, op: &Op) -> Result<bool, EvalError> {
        let (a, b) = (self.raw(op.a), self.raw(op.b));
        let (i, j) = (a as i64, b as i64);
        let (x, y) = (f64::from_bits(a), f64::from_bits(b));
        Ok(match op.code {
            OpCode::IsInt => word::is_int(a),
            OpCode::IsFlt => word::is_flt(a),
            OpCode::IsPtr => word::is_ptr(a),
            OpCode::NonNull => a != 0,
            OpCode::Shape => {
                self.machine.memory.read(a + 4, Width::U32)? == u64::from(op.shape_id())
            }
            OpCode::Same => a == b,
            OpCode::ILt => i < j,
            OpCode::ILe => i <= j,
            OpCode::IEq => i == j,
            OpCode::ULt => a < b,
            OpCode::FLt => x < y,
            OpCode::FLe => x <= y,
            OpCode::FEq => x == y,
            OpCode::Poll => self
                .machine
                .vm
                .get(&op.imm)
                .is_none_or(|word| word & 0xFF == 0),
            _ => !self.machine.invalid,
        })
    }

    fn address(&self, op: &Op, width: Width) -> u64 {
        let object = self.raw(op.a).wrapping_add_signed(op.imm.into());
        match op.code.info().access.map(|access| access.place) {
            Some(Place::Elem) => {
                let offset = (self.raw(op.b) as i64).wrapping_mul(width.bytes().into());
                object.wrapping_add_signed(offset)
            }
            _ => object,
        }
    }

    fn load(&self, op: &Op) -> Result<u64, EvalError> {
        let Some(access) = op.code.info().access else {
            return Ok(0);
        };
        match access.place {
            Place::Vm => self
                .machine
                .vm
                .get(&op.imm)
                .copied()
                .ok_or(EvalError::BadVmField(op.imm)),
            _ if op.code == OpCode::LdShape => {
                self.machine.memory.read(self.raw(op.a) + 4, access.width)
            }
            _ => self
                .machine
                .memory
                .read(self.address(op, access.width), access.width),
        }
    }

    fn store(&mut self, op: &Op) -> Result<(), EvalError> {
        let Some(access) = op.code.info().access else {
            return Ok(());
        };
        let value = op
            .code
            .stored_operand()
            .map_or(u64::from(op.shape_id()), |i| self.raw(op.operand(i)));
        match access.place {
            Place::Vm => drop(self.machine.vm.insert(op.imm, value)),
            Place::Slot => drop(self.machine.slots.insert(op.imm, value)),
            _ => {
                let address = if op.code == OpCode::StShape {
                    self.raw(op.a) + 4
                } else {
                    self.address(op, access.width)
                };
                self.machine.memory.write(address, access.width, value)?;
            }
        }
        Ok(())
    }
}

fn unbox(code: OpCode, w: u64) -> Result<u64, EvalError> {
    match code {
        OpCode::UnboxInt if word::is_int(w) => Ok(word::unbox_int(w) as u64),
        OpCode::UnboxFlt if word::is_flt(w) => Ok(word::unbox_flt(w).to_bits()),
        _ => Err(EvalError::WrongKind { op: code, word: w }),
    }
}

fn int_op(code: OpCode, a: i64, b: i64) -> Result<Option<u64>, EvalError> {
    let (x, y) = (i128::from(a), i128::from(b));
    let checked = |value: i128| Ok(i64::try_from(value).ok().map(|i| i as u64));
    let wrapped = |value: i128| Ok(Some(value as u64));
    match code {
        OpCode::BoxInt => Ok(word::box_int(a)),
        OpCode::I2F => Ok(Some((a as f64).to_bits())),
        OpCode::IAddOvf => checked(x + y),
        OpCode::ISubOvf => checked(x - y),
        OpCode::IMulOvf => checked(x * y),
        OpCode::IAdd => wrapped(x + y),
        OpCode::ISub => wrapped(x - y),
        OpCode::IMul => wrapped(x * y),
        OpCode::IAnd => wrapped(x & y),
        OpCode::IOr => wrapped(x | y),
        OpCode::IXor => wrapped(x ^ y),
        OpCode::IShl => wrapped(x << (b & 63)),
        OpCode::IShr => wrapped(x >> (b & 63)),
        OpCode::IDiv | OpCode::IMod => {
            if b == 0 || b == -1 {
                return Err(EvalError::BadDivisor {
                    op: code,
                    divisor: b,
                });
            }
            // `rem_euclid` is never negative; the floor remainder has the divisor's sign.
            let rest = x.rem_euclid(y);
            let rest = if rest != 0 && y < 0 { rest + y } else { rest };
            wrapped(if code == OpCode::IMod {
                rest
            } else {
                (x - rest) / y
            })
        }
        _ => Ok(Some(0)),
    }
}

fn float_op(code: OpCode, a: f64, b: f64) -> Option<u64> {
    let value = match code {
        OpCode::BoxFlt => return Some(word::box_flt(a)),
        OpCode::F2I => {
            let whole = a.trunc();
            let fits = whole >= i64::MIN as f64 && whole < -(i64::MIN as f64);
            return fits.then_some(whole as i64 as u64);
        }
        OpCode::FAdd => a + b,
        OpCode::FSub => a - b,
        OpCode::FMul => a * b,
        OpCode::FDiv => a / b,
        OpCode::FNeg => -a,
        OpCode::FAbs => a.abs(),
        OpCode::FSqrt => a.sqrt(),
        _ => a.floor(),
    };
    Some(value.to_bits())
}

#[cfg(test)]
mod tests {
    use pyrite_jit_ir::parse_one;

    use super::*;

    fn int(value: i64) -> u64 {
        word::box_int(value).expect("a small int")
    }

    #[test]
    fn a_peeled_loop_runs_until_its_guard_fails() {
        let trace = parse_one(
            "trace root 1 {
               v0 = slot 0
               is_int v0 @s0{pc 1 base 0 []}
               i1 = unbox_int v0
               i2 = iadd_ovf i1, 1 @s0
               loop
               i3 = phi i2
               ilt i3, 10 @s1{pc 2 base 0 [0: i3, 1: o0] o0 = new 2, 0x0 [8: &7 c3]}
               i4 = iadd_ovf i3, 1 @s1
               jump [i4]
             }",
        )
        .expect("the text is well formed");
        let mut machine = Machine::default();
        machine.slots.insert(0, int(3));
        let outcome = run(&trace, &mut machine, &mut NoCalls, &[], 100).expect("a correct trace");
        assert_eq!(outcome.jumps, 6);
        let End::Exit(exit) = outcome.end else {
            panic!("the guard fails")
        };
        assert_eq!(restore(&trace, &exit, &mut machine), Ok(None));
        assert_eq!(machine.slots[&0], int(10));
        assert_eq!(
            machine.memory.object(machine.slots[&1]),
            Some(&[0, int(7)][..])
        );
    }

    #[test]
    fn division_rounds_down_and_the_rest_has_the_divisors_sign() {
        for (a, b, quotient, rest) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (-8, 4, -2, 0),
        ] {
            assert_eq!(
                int_op(OpCode::IDiv, a, b),
                Ok(Some(quotient as u64)),
                "{a} // {b}"
            );
            assert_eq!(
                int_op(OpCode::IMod, a, b),
                Ok(Some(rest as u64)),
                "{a} % {b}"
            );
        }
    }

    #[test]
    fn overflow_and_range_leave() {
        assert_eq!(int_op(OpCode::IAddOvf, i64::MAX, 1), Ok(None));
        assert_eq!(int_op(OpCode::IMulOvf, i64::MIN, -1), Ok(None));
        assert_eq!(int_op(OpCode::BoxInt, word::SMALL_MAX + 1, 0), Ok(None));
        assert_eq!(float_op(OpCode::F2I, f64::NAN, 0.0), None);
        assert_eq!(float_op(OpCode::F2I, 9.3e18, 0.0), None);
        assert_eq!(float_op(OpCode::F2I, -2.9, 0.0), Some(-2_i64 as u64));
    }
}
