//! The fuzzer's power as a number: how many programs it takes to find a planted defect.
//!
//! A defect counts as found when a program differs with it and agrees without it.
//! Defects are chosen in the forked child, so that the VM that is forked stays sound.

use crate::compare::{Counts, Verdict, compare};
use crate::r#gen;
use crate::mode::Mode;
use crate::server::Server;
use anyhow::Result;
use std::fmt::{self, Display, Formatter};

/// A defect, of the VM or of an optimizer pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    Vm(pyrite_machine::plant::Fault),
    Optimizer(pyrite_jit_opt::Fault),
}

impl Display for Planted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Planted::Vm(fault) => write!(f, "{fault:?}"),
            Planted::Optimizer(fault) => write!(f, "optimizer: {fault:?}"),
        }
    }
}

/// All defects.
pub fn all() -> Vec<Planted> {
    let vm = pyrite_machine::plant::Fault::ALL.iter();
    let optimizer = pyrite_jit_opt::Fault::ALL.iter();
    vm.map(|f| Planted::Vm(*f))
        .chain(optimizer.map(|f| Planted::Optimizer(*f)))
        .collect()
}

/// Makes this process defective.
pub(crate) fn plant(fault: Option<Planted>) {
    let (vm, optimizer) = match fault {
        None => (None, None),
        Some(Planted::Vm(f)) => (Some(f), None),
        Some(Planted::Optimizer(f)) => (None, Some(f)),
    };
    pyrite_machine::plant::plant(vm);
    pyrite_jit_opt::plant(optimizer);
}

/// Number of programs, from seed `first` on, until one differs because of the
/// defect; at most `limit` are tried.
///
/// # Errors
/// When no run can be made.
pub fn programs_until_found(
    server: &Server,
    fault: Planted,
    first: u64,
    limit: u64,
) -> Result<Option<u64>> {
    for seed in first..first + limit {
        let (program, modes) = (r#gen::program(seed), Mode::of_seed(seed));
        let differs = |planted| -> Result<bool> {
            server.planted.set(planted);
            let verdict = compare(server, &program, &modes, &mut Counts::default());
            server.planted.set(None);
            Ok(matches!(verdict?, Verdict::Differs(_)))
        };
        if differs(Some(fault))? && !differs(None)? {
            return Ok(Some(seed - first + 1));
        }
    }
    Ok(None)
}
