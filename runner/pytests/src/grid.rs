//! One build in several modes: the cases whose outcome depends on the mode.
//!
//! The modes of a VM share their handlers, so a case that passes in the
//! interpreter and fails under the JIT is the JIT's fault, and comes first.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::outcome::{ModuleOutcome, Outcome};

/// What a difference between modes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Good in the first mode, bad or absent in another: a JIT bug when the
    /// first mode is the interpreter.
    JitBug,
    /// Bad in the first mode and good in another.
    OnlyElsewhere,
    /// Any other pair of outcomes, such as fail and crash.
    Other,
}

/// A case whose outcome is not the same in all modes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What it means.
    pub kind: DifferenceKind,
    /// Its module.
    pub module: String,
    /// Its id.
    pub id: String,
    /// One per mode, in the order of [`ModeGrid::modes`]; `None` where the
    /// case was not reported.
    pub outcomes: Vec<Option<Outcome>>,
}

/// All differences between the modes of one build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeGrid {
    /// Names of the modes; the first is the one the others are held against.
    pub modes: Vec<String>,
    /// Cases reported in any mode.
    pub cases: usize,
    /// JIT bugs first, then by module and id.
    pub differences: Vec<Difference>,
}

impl ModeGrid {
    /// Lay runs of the same modules side by side; `flaky` ids (by module and
    /// id) are left out.
    #[must_use]
    pub fn new(runs: &[(&str, &[ModuleOutcome])], flaky: &BTreeSet<(String, String)>) -> Self {
        let mut table: BTreeMap<(&str, &str), Vec<Option<Outcome>>> = BTreeMap::new();
        for (column, (_, modules)) in runs.iter().enumerate() {
            for module in *modules {
                for case in &module.cases {
                    let row = table
                        .entry((module.module.as_str(), case.id.as_str()))
                        .or_insert_with(|| vec![None; runs.len()]);
                    row[column] = Some(case.outcome);
                }
            }
        }
        let cases = table.len();
        let mut differences: Vec<Difference> = table
            .into_iter()
            .filter(|(_, outcomes)| outcomes.iter().any(|outcome| *outcome != outcomes[0]))
            .map(|((module, id), outcomes)| Difference {
                kind: kind(&outcomes),
                module: module.to_owned(),
                id: id.to_owned(),
                outcomes,
            })
            .filter(|row| !flaky.contains(&(row.module.clone(), row.id.clone())))
            .collect();
        differences.sort_by(|a, b| (a.kind, &a.module, &a.id).cmp(&(b.kind, &b.module, &b.id)));
        Self {
            modes: runs.iter().map(|(name, _)| (*name).to_owned()).collect(),
            cases,
            differences,
        }
    }

    /// The differences of one kind.
    pub fn of_kind(&self, kind: DifferenceKind) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |row| row.kind == kind)
    }
}

fn good(outcome: Option<Outcome>) -> bool {
    matches!(
        outcome,
        Some(Outcome::Pass | Outcome::Skip | Outcome::Xfail)
    )
}

fn kind(outcomes: &[Option<Outcome>]) -> DifferenceKind {
    let others = &outcomes[1..];
    if good(outcomes[0]) && others.iter().any(|outcome| !good(*outcome)) {
        DifferenceKind::JitBug
    } else if !good(outcomes[0]) && others.iter().any(|outcome| good(*outcome)) {
        DifferenceKind::OnlyElsewhere
    } else {
        DifferenceKind::Other
    }
}

/// Module and id of the cases that do not have one outcome over reruns of one
/// build in one mode. A case missing from a rerun counts as another outcome.
#[must_use]
pub fn flaky(reruns: &[&[ModuleOutcome]]) -> BTreeSet<(String, String)> {
    let named: Vec<(&str, &[ModuleOutcome])> = reruns.iter().map(|run| ("", *run)).collect();
    ModeGrid::new(&named, &BTreeSet::new())
        .differences
        .into_iter()
        .map(|row| (row.module, row.id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{CaseResult, ModuleStatus};

    fn run(cases: &[(&str, Outcome)]) -> Vec<ModuleOutcome> {
        let case = |&(id, outcome): &(&str, Outcome)| CaseResult {
            id: id.to_owned(),
            outcome,
            detail: String::new(),
            wall_us: 1,
        };
        vec![ModuleOutcome {
            module: "test_x".to_owned(),
            status: ModuleStatus::Ran,
            cases: cases.iter().map(case).collect(),
            not_run: Vec::new(),
            restarts: 0,
            notes: Vec::new(),
            wall_us: 1,
            cpu_us: 1,
        }]
    }

    #[test]
    fn jit_bugs_come_first_and_equal_rows_not_at_all() {
        use Outcome::{Crash, Error, Fail, Pass};
        let off = run(&[
            ("a", Fail),
            ("b", Fail),
            ("c", Pass),
            ("d", Pass),
            ("e", Pass),
        ]);
        let opt = run(&[("a", Error), ("b", Pass), ("c", Crash), ("d", Pass)]);
        let grid = ModeGrid::new(&[("off", &off), ("opt", &opt)], &BTreeSet::new());
        assert_eq!((grid.cases, grid.modes.len()), (5, 2));
        let rows: Vec<_> = grid
            .differences
            .iter()
            .map(|row| (row.id.as_str(), row.kind))
            .collect();
        assert_eq!(
            rows,
            [
                ("c", DifferenceKind::JitBug),
                ("e", DifferenceKind::JitBug),
                ("b", DifferenceKind::OnlyElsewhere),
                ("a", DifferenceKind::Other),
            ]
        );
        assert_eq!(grid.of_kind(DifferenceKind::JitBug).count(), 2);

        let again = run(&[("a", Error), ("b", Pass), ("c", Pass), ("d", Pass)]);
        let flaky = flaky(&[&opt, &again]);
        assert_eq!(
            flaky.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(),
            ["c"]
        );
        let grid = ModeGrid::new(&[("off", &off), ("opt", &opt)], &flaky);
        assert!(grid.differences.iter().all(|row| row.id != "c"));
    }
}
