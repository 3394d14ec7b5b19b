//! A subject against the reference: the score, and what is behind it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::outcome::{ModuleOutcome, ModuleStatus, Outcome};

/// A case that passes on the reference and not on the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Its module.
    pub module: String,
    /// Its id.
    pub id: String,
    /// The subject's outcome; `None` when the case was never reported there.
    pub outcome: Option<Outcome>,
    /// The subject's detail, or why the case was not reported.
    pub detail: String,
}

/// One module's share of the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleScore {
    /// The module.
    pub module: String,
    /// Ids that pass on the reference.
    pub reference: usize,
    /// Those of them that pass on the subject too.
    pub subject: usize,
}

/// Subject against reference over one list of modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Ids that pass on the reference.
    pub reference_passes: usize,
    /// Those of them that pass on the subject.
    pub both_pass: usize,
    /// Per module of the reference, in its order.
    pub modules: Vec<ModuleScore>,
    /// Passing on the reference only.
    pub lost: Vec<Lost>,
    /// `module` and id of cases that pass on the subject and are reported
    /// without passing on the reference.
    pub gained: Vec<(String, String)>,
    /// Modules that load on the reference and not on the subject, with the
    /// reason.
    pub not_loading: Vec<(String, String)>,
}

impl Comparison {
    /// Share of the reference's passing ids that pass on the subject, 0 to 1;
    /// `None` when the reference passes nothing.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        (self.reference_passes > 0).then(|| self.both_pass as f64 / self.reference_passes as f64)
    }

    /// How many of the lost ids the suite itself skips, as details of another
    /// implementation (`support.cpython_only` and its like).
    #[must_use]
    pub fn others_details(&self) -> usize {
        let own = |lost: &&Lost| {
            lost.outcome == Some(Outcome::Skip) && lost.detail.starts_with("implementation detail ")
        };
        self.lost.iter().filter(own).count()
    }
}

/// Compare two runs. A module that only one side has counts as it stands: one
/// that the subject lacks loses all its passes.
#[must_use]
pub fn compare(reference: &[ModuleOutcome], subject: &[ModuleOutcome]) -> Comparison {
    let subjects: BTreeMap<&str, &ModuleOutcome> = subject
        .iter()
        .map(|module| (module.module.as_str(), module))
        .collect();
    let mut sum = Comparison {
        reference_passes: 0,
        both_pass: 0,
        modules: Vec::new(),
        lost: Vec::new(),
        gained: Vec::new(),
        not_loading: Vec::new(),
    };
    for module in reference {
        let name = &module.module;
        let other = subjects.get(name.as_str()).copied();
        let absent = reason_for_absence(other);
        if let (ModuleStatus::Ran, Some(ModuleStatus::DoesNotLoad(why))) =
            (&module.status, other.map(|other| &other.status))
        {
            sum.not_loading.push((name.clone(), why.clone()));
        }
        let results: BTreeMap<&str, (Outcome, &str)> = other
            .into_iter()
            .flat_map(|other| &other.cases)
            .map(|case| (case.id.as_str(), (case.outcome, case.detail.as_str())))
            .collect();
        let mut score = ModuleScore {
            module: name.clone(),
            reference: 0,
            subject: 0,
        };
        for case in &module.cases {
            let there = results.get(case.id.as_str()).copied();
            let passes_there = matches!(there, Some((Outcome::Pass, _)));
            if case.outcome != Outcome::Pass {
                if passes_there {
                    sum.gained.push((name.clone(), case.id.clone()));
                }
                continue;
            }
            score.reference += 1;
            if passes_there {
                score.subject += 1;
                continue;
            }
            sum.lost.push(Lost {
                module: name.clone(),
                id: case.id.clone(),
                outcome: there.map(|(outcome, _)| outcome),
                detail: there.map_or_else(|| absent.clone(), |(_, detail)| detail.to_owned()),
            });
        }
        sum.reference_passes += score.reference;
        sum.both_pass += score.subject;
        sum.modules.push(score);
    }
    sum
}

fn reason_for_absence(module: Option<&ModuleOutcome>) -> String {
    match module.map(|module| &module.status) {
        None => "module not run".to_owned(),
        Some(ModuleStatus::DoesNotLoad(why)) => format!("does not load: {why}"),
        Some(ModuleStatus::Skipped(why)) => format!("module skipped: {why}"),
        Some(ModuleStatus::Ran) => "not reported".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::CaseResult;

    fn module(name: &str, status: ModuleStatus, cases: &[(&str, Outcome)]) -> ModuleOutcome {
        let case = |&(id, outcome): &(&str, Outcome)| CaseResult {
            id: id.to_owned(),
            outcome,
            detail: outcome.to_string(),
            wall_us: 1,
        };
        ModuleOutcome {
            module: name.to_owned(),
            status,
            cases: cases.iter().map(case).collect(),
            not_run: Vec::new(),
            restarts: 0,
            notes: Vec::new(),
            wall_us: 1,
            cpu_us: 1,
        }
    }

    #[test]
    fn the_score_counts_reference_passes_only() {
        use Outcome::{Crash, Fail, Pass, Skip};
        let ran = ModuleStatus::Ran;
        let reference = [
            module(
                "test_a",
                ran.clone(),
                &[("a", Pass), ("b", Pass), ("c", Skip), ("d", Fail)],
            ),
            module("test_b", ran.clone(), &[("e", Pass)]),
            module("test_c", ran.clone(), &[("f", Pass)]),
        ];
        let subject = [
            module(
                "test_b",
                ModuleStatus::DoesNotLoad("ImportError: x".into()),
                &[],
            ),
            module(
                "test_a",
                ran,
                &[("b", Crash), ("a", Pass), ("d", Pass), ("new", Pass)],
            ),
        ];
        let sum = compare(&reference, &subject);
        assert_eq!(
            (sum.reference_passes, sum.both_pass, sum.score()),
            (4, 1, Some(0.25))
        );
        let lost: Vec<_> = sum
            .lost
            .iter()
            .map(|lost| (lost.id.as_str(), lost.outcome))
            .collect();
        assert_eq!(lost, [("b", Some(Crash)), ("e", None), ("f", None)]);
        assert_eq!(sum.lost[1].detail, "does not load: ImportError: x");
        assert_eq!(sum.lost[2].detail, "module not run");
        assert_eq!(sum.others_details(), 0);
        assert_eq!(sum.gained, [("test_a".to_owned(), "d".to_owned())]);
        assert_eq!(
            sum.not_loading,
            [("test_b".to_owned(), "ImportError: x".to_owned())]
        );
        assert_eq!(compare(&[], &subject).score(), None);
    }

    #[test]
    fn what_the_suite_skips_for_others_is_counted_apart() {
        use Outcome::{Fail, Pass, Skip};
        let ran = ModuleStatus::Ran;
        let ids = |a, b, c| [("a", a), ("b", b), ("c", c)];
        let reference = [module("test_a", ran.clone(), &ids(Pass, Pass, Pass))];
        let mut subject = [module("test_a", ran, &ids(Skip, Fail, Skip))];
        for case in &mut subject[0].cases[..2] {
            case.detail = "implementation detail specific to cpython".into();
        }
        let sum = compare(&reference, &subject);
        assert_eq!((sum.lost.len(), sum.others_details()), (3, 1));
    }
}
