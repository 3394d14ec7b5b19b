//! A small VM around the backend, and an oracle that runs the same traces on the same memory.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod arena;
pub(crate) mod generate;
pub(crate) mod machine;
pub(crate) mod oracle;

use std::collections::HashMap;

use pyrite_jit_ir::{SnapshotId, Trace, TraceId, TraceKind, parse, verify, word};
use pyrite_jit_x64::{CompileOptions, Mode, Resumption};

use arena::{Arena, EXTENT};
use machine::Machine;
use oracle::Oracle;

/// Both allocation modes.
pub(crate) const MODES: [CompileOptions; 2] = [
    CompileOptions {
        regalloc: true,
        extent: EXTENT,
    },
    CompileOptions {
        regalloc: false,
        extent: EXTENT,
    },
];

/// Traces that belong together: roots first, bridges after what they start from.
pub(crate) struct Program {
    pub(crate) traces: Vec<Trace>,
    by_id: HashMap<TraceId, usize>,
    bridges: HashMap<(TraceId, SnapshotId), TraceId>,
}

impl Program {
    pub(crate) fn new(mut traces: Vec<Trace>) -> Self {
        for trace in &mut traces {
            for target in &mut trace.calls {
                target.addr = machine::function(&target.name);
            }
            if let Err(error) = verify(trace) {
                panic!("{error}\n{trace}");
            }
        }
        let by_id = traces.iter().enumerate().map(|(i, t)| (t.id, i)).collect();
        let bridges = traces
            .iter()
            .filter_map(|t| match t.kind {
                TraceKind::Bridge { parent, exit } => Some(((parent, exit), t.id)),
                TraceKind::Root => None,
            })
            .collect();
        Self {
            traces,
            by_id,
            bridges,
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        Self::new(parse(text).unwrap_or_else(|e| panic!("{e}\n{text}")))
    }

    pub(crate) fn trace(&self, id: TraceId) -> &Trace {
        &self.traces[self.by_id[&id]]
    }

    pub(crate) fn bridge(&self, parent: TraceId, exit: SnapshotId) -> Option<TraceId> {
        self.bridges.get(&(parent, exit)).copied()
    }
}

/// How a run ended, and everything it left behind.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) exit: (TraceId, SnapshotId),
    pub(crate) resumption: Resumption,
    pub(crate) memory: Vec<u64>,
    pub(crate) log: Vec<u64>,
}

impl Outcome {
    /// Forgets the signs of NaNs: which operand's NaN an operation hands on is nobody's promise.
    pub(crate) fn without_nan_signs(mut self) -> Self {
        let negative = word::box_flt(-f64::NAN);
        let plain = |word: &mut u64| {
            if *word == negative {
                *word = word::box_flt(f64::NAN);
            }
        };
        self.memory.iter_mut().for_each(plain);
        self.log.iter_mut().for_each(plain);
        if let Mode::Finish { word, .. } = &mut self.resumption.mode {
            plain(word);
        }
        self
    }
}

/// Runs the first trace of `program` by the oracle and by machine code in both modes, from the
/// memory that `prepare` makes, and demands equal outcomes.
pub(crate) fn agree(program: &Program, prepare: impl Fn(&mut Arena)) -> Outcome {
    let mut arena = Arena::new();
    arena.reset();
    prepare(&mut arena);
    let start = arena.contents();
    let expected = Oracle::new(program, &mut arena)
        .run(program.traces[0].id)
        .without_nan_signs();
    for options in MODES {
        arena.restore(&start);
        arena = same(program, arena, options, &expected);
    }
    expected
}

/// Runs `program` by machine code and demands the outcome `expected`.
pub(crate) fn same(
    program: &Program,
    arena: Arena,
    options: CompileOptions,
    expected: &Outcome,
) -> Arena {
    let mut machine = Machine::new(arena);
    machine.load(program, options);
    let found = machine.run(program.traces[0].id).without_nan_signs();
    if found != *expected {
        let mut text: String = program.traces.iter().map(ToString::to_string).collect();
        for compiled in &machine.compiled {
            text += &machine.disassemble(compiled);
        }
        let first = found
            .memory
            .iter()
            .zip(&expected.memory)
            .position(|(a, b)| a != b);
        panic!(
            "{options:?}\n{text}\nfound {:?} {:?} {:x?}\nexpected {:?} {:?} {:x?}\nfirst different word {:x?}",
            found.exit,
            found.resumption,
            found.log,
            expected.exit,
            expected.resumption,
            expected.log,
            first.map(|i| (i, found.memory[i], expected.memory[i]))
        );
    }
    machine.into_arena()
}
