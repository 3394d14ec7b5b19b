//! Runs traces one op at a time over the arena. Slow and obvious; values are raw bits.

use pyrite_jit_ir::ops::Place;
use pyrite_jit_ir::{
    Kind, Op, OpCode, OpRef, Resume, Snapshot, SnapshotId, Trace, TraceId, Ty, Width, word,
};
use pyrite_jit_x64::{Mode, Resumption};

use super::arena::{Arena, CUR, FIELDS, LIM, WINDOW};
use super::machine::{BIG_INT, mix_flts, mix_ints, remember, swap};
use super::{Outcome, Program};

pub(crate) struct Oracle<'a> {
    program: &'a Program,
    arena: &'a mut Arena,
    log: Vec<u64>,
    steps: u32,
    /// The op that left for good.
    pub(crate) left_at: Option<(TraceId, usize)>,
    /// Bridges entered.
    pub(crate) bridged: u32,
}

/// What an op does to the flow.
enum Flow {
    Next,
    Leave(SnapshotId),
    Loop,
    Link(TraceId),
}

/// More would be an endless loop of the test.
const MAX_STEPS: u32 = 1_000_000;

impl<'a> Oracle<'a> {
    pub(crate) fn new(program: &'a Program, arena: &'a mut Arena) -> Self {
        Self {
            program,
            arena,
            log: Vec::new(),
            steps: 0,
            left_at: None,
            bridged: 0,
        }
    }

    pub(crate) fn run(&mut self, root: TraceId) -> Outcome {
        let mut id = root;
        let mut params: Vec<u64> = Vec::new();
        loop {
            let trace = self.program.trace(id);
            let (flow, values) = self.run_trace(trace, &params);
            match flow {
                Flow::Link(root) => {
                    id = root;
                    params.clear();
                }
                Flow::Leave(snapshot) => {
                    let state = trace.snapshot(snapshot);
                    if let Some(bridge) = self.program.bridge(id, snapshot) {
                        params = state
                            .live_values()
                            .iter()
                            .map(|&r| bits(trace, &values, r))
                            .collect();
                        id = bridge;
                        self.bridged += 1;
                        continue;
                    }
                    let (slots, resumption) = self.rebuild(trace, &values, state);
                    for (slot, word) in slots {
                        self.arena.set_slot(slot, word);
                    }
                    return Outcome {
                        exit: (id, snapshot),
                        resumption,
                        memory: self.arena.contents(),
                        log: std::mem::take(&mut self.log),
                    };
                }
                Flow::Next | Flow::Loop => unreachable!("a trace ends by leaving or linking"),
            }
        }
    }

    fn run_trace(&mut self, trace: &Trace, params: &[u64]) -> (Flow, Vec<u64>) {
        let mut values = vec![0; trace.ops.len()];
        let mut i = 0;
        loop {
            self.steps += 1;
            assert!(self.steps < MAX_STEPS, "the trace ends\n{trace}");
            let op = &trace.ops[i];
            match op.code {
                OpCode::Param => values[i] = params[op.imm as usize],
                OpCode::Phi => {} // written by the loop header and by the jump
                OpCode::Loop => {
                    for phi in phis(trace, i) {
                        values[phi] = bits(trace, &values, trace.ops[phi].a);
                    }
                }
                OpCode::Jump => {
                    let head = trace.loop_index().expect("a jump has a loop");
                    let next: Vec<u64> = trace
                        .list(op.list)
                        .iter()
                        .map(|&r| bits(trace, &values, r))
                        .collect();
                    for (phi, word) in phis(trace, head).into_iter().zip(next) {
                        values[phi] = word;
                    }
                    i = head;
                }
                _ => match self.op(trace, &values, op) {
                    (Flow::Next, result) => values[i] = result,
                    (flow, _) => {
                        self.left_at = Some((trace.id, i));
                        return (flow, values);
                    }
                },
            }
            i += 1;
        }
    }

    fn op(&mut self, trace: &Trace, values: &[u64], op: &Op) -> (Flow, u64) {
        let word = |r: OpRef| bits(trace, values, r);
        let int = |r: OpRef| bits(trace, values, r) as i64;
        let flt = |r: OpRef| f64::from_bits(bits(trace, values, r));
        let checked = |r: Option<i64>| match r {
            Some(i) => (Flow::Next, i as u64),
            None => (Flow::Leave(op.snap.expect("it may leave")), 0),
        };
        let guard = |truth: bool| match truth == op.expect {
            true => (Flow::Next, 0),
            false => (Flow::Leave(op.snap.expect("it may leave")), 0),
        };
        let done = |bits: u64| (Flow::Next, bits);
        match op.code {
            OpCode::Slot => done(self.arena.slot(op.imm)),
            OpCode::IsInt => guard(word::is_int(word(op.a))),
            OpCode::IsFlt => guard(word::is_flt(word(op.a))),
            OpCode::IsPtr => guard(word::is_ptr(word(op.a))),
            OpCode::NonNull => guard(word(op.a) != 0),
            OpCode::Shape => guard(self.arena.load(word(op.a) + 4, 4) == u64::from(op.shape_id())),
            OpCode::Same => guard(word(op.a) == word(op.b)),
            OpCode::ILt => guard(int(op.a) < int(op.b)),
            OpCode::ILe => guard(int(op.a) <= int(op.b)),
            OpCode::IEq => guard(int(op.a) == int(op.b)),
            OpCode::ULt => guard(word(op.a) < word(op.b)),
            OpCode::FLt => guard(flt(op.a) < flt(op.b)),
            OpCode::FLe => guard(flt(op.a) <= flt(op.b)),
            OpCode::FEq => guard(flt(op.a) == flt(op.b)),
            OpCode::Poll => guard(self.arena.load(self.arena.addr(0) + op.imm as u64, 1) == 0),
            OpCode::Valid => done(0),
            OpCode::UnboxInt => done(word::unbox_int(word(op.a)) as u64),
            OpCode::UnboxFlt => done(word::unbox_flt(word(op.a)).to_bits()),
            OpCode::BoxInt => checked(word::box_int(int(op.a)).map(|w| w as i64)),
            OpCode::BoxFlt => done(word::box_flt(flt(op.a))),
            OpCode::I2F => done((int(op.a) as f64).to_bits()),
            OpCode::F2I => {
                let f = flt(op.a).trunc();
                checked((f >= i64::MIN as f64 && f < -(i64::MIN as f64)).then_some(f as i64))
            }
            OpCode::IAddOvf => checked(int(op.a).checked_add(int(op.b))),
            OpCode::ISubOvf => checked(int(op.a).checked_sub(int(op.b))),
            OpCode::IMulOvf => checked(int(op.a).checked_mul(int(op.b))),
            OpCode::IAdd => done(word(op.a).wrapping_add(word(op.b))),
            OpCode::ISub => done(word(op.a).wrapping_sub(word(op.b))),
            OpCode::IMul => done(word(op.a).wrapping_mul(word(op.b))),
            OpCode::IAnd => done(word(op.a) & word(op.b)),
            OpCode::IOr => done(word(op.a) | word(op.b)),
            OpCode::IXor => done(word(op.a) ^ word(op.b)),
            OpCode::IShl => done(word(op.a) << (word(op.b) & 63)),
            OpCode::IShr => done((int(op.a) >> (word(op.b) & 63)) as u64),
            OpCode::IDiv | OpCode::IMod => {
                let (n, d) = (i128::from(int(op.a)), i128::from(int(op.b)));
                let (mut q, mut r) = (n / d, n % d);
                if r != 0 && (r < 0) != (d < 0) {
                    (q, r) = (q - 1, r + d);
                }
                done(if op.code == OpCode::IDiv { q } else { r } as u64)
            }
            OpCode::FAdd => done((flt(op.a) + flt(op.b)).to_bits()),
            OpCode::FSub => done((flt(op.a) - flt(op.b)).to_bits()),
            OpCode::FMul => done((flt(op.a) * flt(op.b)).to_bits()),
            OpCode::FDiv => done((flt(op.a) / flt(op.b)).to_bits()),
            OpCode::FNeg => done((-flt(op.a)).to_bits()),
            OpCode::FAbs => done(flt(op.a).abs().to_bits()),
            OpCode::FSqrt => done(flt(op.a).sqrt().to_bits()),
            OpCode::FFloor => done(flt(op.a).floor().to_bits()),
            OpCode::Barrier => {
                let object = word(op.a);
                if self.arena.load(object, 8) & 2 != 0 {
                    remember(self.arena, object);
                }
                done(0)
            }
            OpCode::New => {
                // The words behind the header keep what they hold: stores follow.
                let header = word(op.a);
                let bytes = (op.imm as u64 * 8).next_multiple_of(16);
                self.arena.make_room_if_needed(bytes);
                let object = self.arena.get(CUR);
                self.arena.set(CUR, object + bytes);
                self.arena.store(object, 8, header);
                done(object)
            }
            OpCode::Call => done(self.call(trace, values, op)),
            OpCode::Exit => (Flow::Leave(op.snap.expect("an exit has a snapshot")), 0),
            OpCode::Link => (Flow::Link(TraceId(op.imm as u32)), 0),
            OpCode::Jump | OpCode::Loop | OpCode::Phi | OpCode::Param => {
                unreachable!("handled by the caller")
            }
            _ => {
                let access = op
                    .code
                    .info()
                    .access
                    .expect("what is left are loads and stores");
                let bytes = access.width.bytes();
                let addr = match access.place {
                    Place::Vm => self.arena.addr(0) + op.imm as u64,
                    Place::Slot => self.arena.addr((WINDOW as i32 + op.imm) as usize),
                    Place::Field if matches!(op.code, OpCode::LdShape | OpCode::StShape) => {
                        word(op.a) + 4
                    }
                    Place::Field => word(op.a).wrapping_add(op.imm as u64),
                    Place::Elem => word(op.a)
                        .wrapping_add(op.imm as u64)
                        .wrapping_add((int(op.b) * i64::from(bytes)) as u64),
                };
                if op.code.info().kind == Kind::Load {
                    return done(self.arena.load(addr, bytes));
                }
                let value = match op.code.stored_operand() {
                    Some(n) => word(op.operand(n)),
                    None => u64::from(op.shape_id()),
                };
                self.arena.store(addr, bytes, value);
                done(0)
            }
        }
    }

    fn call(&mut self, trace: &Trace, values: &[u64], op: &Op) -> u64 {
        let target = trace.target(op);
        let args: Vec<u64> = trace
            .list(op.list)
            .iter()
            .map(|&r| bits(trace, values, r))
            .collect();
        let of = |ty: Ty| {
            let pairs = args
                .iter()
                .zip(&target.params)
                .filter(move |(_, t)| **t == ty);
            pairs.map(|(&a, _)| a).collect::<Vec<u64>>()
        };
        let ints: Vec<i64> = of(Ty::Int).into_iter().map(|a| a as i64).collect();
        let flts: Vec<f64> = of(Ty::Flt).into_iter().map(f64::from_bits).collect();
        match &*target.name {
            "add_ints" => mix_ints(&ints) as u64,
            "many" => mix_ints(&ints).wrapping_add(mix_flts(&flts).to_bits() as i64) as u64,
            "mul_add" => mix_flts(&flts).to_bits(),
            "swap_field" => swap(self.arena, args[0], args[1]),
            "look" => {
                let snapshot = op.snap.expect("a looking call has a snapshot");
                self.log.push(args[0]);
                let (slots, resumption) = self.rebuild(trace, values, trace.snapshot(snapshot));
                for (slot, word) in slots {
                    self.log.extend([slot as u64, word]);
                }
                self.log.push(resumption.pc);
                if let Mode::Finish { word, .. } = resumption.mode {
                    self.log.push(word);
                }
                word::box_int(args[0] as i64).unwrap_or(0)
            }
            name => panic!("no function {name}"),
        }
    }

    /// The slots an exit writes; makes the objects it needs.
    fn rebuild(
        &mut self,
        trace: &Trace,
        values: &[u64],
        state: &Snapshot,
    ) -> (Vec<(i32, u64)>, Resumption) {
        let objects: Vec<u64> = state
            .virtuals
            .iter()
            .map(|v| self.arena.allocate(v.words, v.header))
            .collect();
        for (object, &address) in state.virtuals.iter().zip(&objects) {
            for field in &object.fields {
                let bits = match field.width {
                    Width::Val => self.boxed(trace, values, &objects, field.val),
                    _ => bits(trace, values, field.val),
                };
                self.arena
                    .store(address + field.offset as u64, field.width.bytes(), bits);
            }
        }
        let slots = state
            .entries
            .iter()
            .map(|&(slot, r)| (slot, self.boxed(trace, values, &objects, r)))
            .collect();
        let mode = match state.mode {
            Resume::Reexec => Mode::Reexec,
            Resume::Finish { stage, val } => Mode::Finish {
                stage,
                word: self.boxed(trace, values, &objects, val),
            },
        };
        (
            slots,
            Resumption {
                pc: state.pc,
                base: state.base,
                mode,
            },
        )
    }

    fn boxed(&mut self, trace: &Trace, values: &[u64], objects: &[u64], r: OpRef) -> u64 {
        if let Some(n) = r.as_virtual() {
            return objects[n];
        }
        let bits = bits(trace, values, r);
        match trace.ty(r) {
            Ty::Int => word::box_int(bits as i64).unwrap_or_else(|| {
                let object = self.arena.allocate(2, BIG_INT);
                self.arena.store(object + 8, 8, bits);
                object
            }),
            Ty::Flt => word::box_flt(f64::from_bits(bits)),
            _ => bits,
        }
    }
}

impl Arena {
    fn make_room_if_needed(&mut self, bytes: u64) {
        if self.get(CUR) + bytes > self.get(LIM) {
            self.make_room(bytes);
        }
    }
}

const _: () = assert!(FIELDS < WINDOW, "the VM state lies below the VM stack");

fn bits(trace: &Trace, values: &[u64], r: OpRef) -> u64 {
    match trace.as_const(r) {
        Some(pyrite_jit_ir::Const::Int(i)) => i as u64,
        Some(pyrite_jit_ir::Const::Flt(bits) | pyrite_jit_ir::Const::Val(bits)) => bits,
        None => values[r.as_op().expect("an operand is an op or a constant")],
    }
}

fn phis(trace: &Trace, head: usize) -> Vec<usize> {
    (head + 1..trace.ops.len())
        .take_while(|&i| trace.ops[i].code == OpCode::Phi)
        .collect()
}
