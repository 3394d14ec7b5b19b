//! The checker: walks the trace with symbolic contents of all places.
//!
//! It knows nothing of intervals or of how the allocator works. A place holds the value last
//! written to it; a read must find the value it names. The body is walked twice, the second time
//! with the contents the back edge leaves, so a loop invariant that was overwritten is found.

use std::collections::HashMap;

use crate::moves::{Move, Step, sequentialize};
use crate::problem::{Class, Inst, Loc, Loop, Phi, Problem, Value};

/// A read that does not find its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The place of a value holds something else when an instruction reads it.
    #[error("instruction {inst} reads value {value:?} from {loc:?}, which holds {found:?}")]
    Lost {
        /// Index of the reading instruction.
        inst: u32,
        /// What it wants to read.
        value: Value,
        /// Where the allocation puts it.
        loc: Loc,
        /// What is there.
        found: Option<Value>,
    },
    /// A value sits in a register of the other class.
    #[error("value {value:?} of class {class:?} is in {loc:?}")]
    WrongClass {
        /// The value.
        value: Value,
        /// Its class.
        class: Class,
        /// Its place.
        loc: Loc,
    },
    /// Two loop-carried values share a place.
    #[error("phis {first:?} and {second:?} share {loc:?}")]
    SharedPhi {
        /// One of them.
        first: Value,
        /// The other.
        second: Value,
        /// Their place.
        loc: Loc,
    },
}

/// Proves that `locs` is an allocation of `problem`.
///
/// # Errors
/// The first read that would go wrong.
pub fn check(problem: &Problem, locs: &[Loc]) -> Result<(), CheckError> {
    for (index, (&loc, &class)) in locs.iter().zip(&problem.classes).enumerate() {
        if matches!(loc, Loc::Reg(reg) if reg.class() != class) {
            return Err(CheckError::WrongClass {
                value: Value(index as u32),
                class,
                loc,
            });
        }
    }
    let mut walk = Walk {
        problem,
        locs,
        holds: HashMap::new(),
    };
    for &value in &problem.entry {
        walk.write(value);
    }
    walk.range(0, problem.insts.len() as u32)?;
    if let Some(looped) = &problem.looped {
        walk.range(looped.head + 1, looped.back + 1)?;
    }
    Ok(())
}

struct Walk<'a> {
    problem: &'a Problem,
    locs: &'a [Loc],
    holds: HashMap<Loc, Value>,
}

impl Walk<'_> {
    fn range(&mut self, from: u32, to: u32) -> Result<(), CheckError> {
        for index in from..to {
            let inst = &self.problem.insts[index as usize];
            self.inst(index, inst)?;
            if let Some(looped) = &self.problem.looped {
                if looped.head == index {
                    self.edge(index, looped, |phi| phi.entry)?;
                }
                if looped.back == index {
                    self.edge(index, looped, |phi| phi.back)?;
                }
            }
        }
        Ok(())
    }

    fn inst(&mut self, index: u32, inst: &Inst) -> Result<(), CheckError> {
        let uses = self.problem.uses_of(inst);
        for u in uses.iter().filter(|u| !u.late) {
            self.read(index, u.value)?;
        }
        for reg in inst.clobbers.iter() {
            self.holds.remove(&Loc::Reg(reg));
        }
        if let Some(value) = inst.def {
            self.write(value);
        }
        for u in uses.iter().filter(|u| u.late) {
            self.read(index, u.value)?;
        }
        Ok(())
    }

    /// Does the moves of a loop edge in the order the code generator will use.
    fn edge(
        &mut self,
        index: u32,
        looped: &Loop,
        source: impl Fn(&Phi) -> Option<Value>,
    ) -> Result<(), CheckError> {
        let mut moves = Vec::new();
        let mut constants = Vec::new();
        for (i, phi) in looped.phis.iter().enumerate() {
            let to = self.locs[phi.value.index()];
            if to == Loc::None {
                continue;
            }
            if let Some(other) = looped.phis[..i]
                .iter()
                .find(|p| self.locs[p.value.index()] == to)
            {
                return Err(CheckError::SharedPhi {
                    first: other.value,
                    second: phi.value,
                    loc: to,
                });
            }
            match source(phi) {
                Some(value) => {
                    self.read(index, value)?;
                    moves.push(Move {
                        from: self.locs[value.index()],
                        to,
                    });
                }
                None => constants.push(to),
            }
        }
        let mut aside = None;
        for step in sequentialize(&moves) {
            match step {
                Step::Copy(m) => self.put(m.to, self.holds.get(&m.from).copied()),
                Step::Save(loc) => aside = self.holds.get(&loc).copied(),
                Step::Restore(loc) => self.put(loc, aside),
            }
        }
        for to in constants {
            self.put(to, None);
        }
        // Each phi now names what was moved into its place; check that it was the right value.
        for phi in &looped.phis {
            let to = self.locs[phi.value.index()];
            if to == Loc::None {
                continue;
            }
            let found = self.holds.get(&to).copied();
            if let Some(value) = source(phi)
                && found != Some(value)
            {
                return Err(CheckError::Lost {
                    inst: index,
                    value,
                    loc: to,
                    found,
                });
            }
        }
        for phi in &looped.phis {
            self.write(phi.value);
        }
        Ok(())
    }

    fn read(&self, inst: u32, value: Value) -> Result<(), CheckError> {
        let loc = self.locs[value.index()];
        let found = self.holds.get(&loc).copied();
        if loc != Loc::None && found == Some(value) {
            return Ok(());
        }
        Err(CheckError::Lost {
            inst,
            value,
            loc,
            found,
        })
    }

    fn write(&mut self, value: Value) {
        let loc = self.locs[value.index()];
        if loc != Loc::None {
            self.holds.insert(loc, value);
        }
    }

    fn put(&mut self, loc: Loc, value: Option<Value>) {
        match value {
            Some(value) => self.holds.insert(loc, value),
            None => self.holds.remove(&loc),
        };
    }
}
