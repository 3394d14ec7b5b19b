//! CPython's library tests as the pages need them: scores per module and variant, and the cases whose
//! outcome differs where it should not.

use serde::{Deserialize, Serialize};

/// How a test case ended, as unittest names it, plus the two ways a process ends instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseOutcome {
    /// Passed.
    Pass,
    /// Failed as the test expects it to.
    Xfail,
    /// Skipped itself.
    Skip,
    /// An assertion failed.
    Fail,
    /// An exception that was not an assertion.
    Error,
    /// Passed although it was expected to fail.
    Xpass,
    /// Passed its time limit.
    Timeout,
    /// The process died in it.
    Crash,
}

impl CaseOutcome {
    /// All outcomes, from best to worst.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Xfail,
        Self::Skip,
        Self::Xpass,
        Self::Fail,
        Self::Error,
        Self::Timeout,
        Self::Crash,
    ];

    /// The word used in tables, exports and the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Xfail => "xfail",
            Self::Skip => "skip",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Xpass => "xpass",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
        }
    }

    /// The outcome written as `word`, or `None` for a word that is not one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// How many cases had each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCounts([u32; 8]);

impl OutcomeCounts {
    /// Adds `n` cases with `outcome`.
    pub fn add(&mut self, outcome: CaseOutcome, n: u32) {
        self.0[Self::index(outcome)] += n;
    }

    /// The number of cases with `outcome`.
    #[must_use]
    pub fn get(&self, outcome: CaseOutcome) -> u32 {
        self.0[Self::index(outcome)]
    }

    /// All cases.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    fn index(outcome: CaseOutcome) -> usize {
        CaseOutcome::ALL
            .iter()
            .position(|&o| o == outcome)
            .expect("ALL lists every outcome")
    }
}

/// Share of the reference's passing cases that pass here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Cases that pass in the reference and here.
    pub passing: u32,
    /// Cases that pass in the reference.
    pub reference: u32,
}

impl Score {
    /// The share in 0..=1, or `None` when the reference passes nothing (or did not run).
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.reference > 0).then(|| f64::from(self.passing) / f64::from(self.reference))
    }

    /// Both counts added.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            passing: self.passing + other.passing,
            reference: self.reference + other.reference,
        }
    }
}

/// One test module in one variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleScore {
    /// Module, e.g. `test_int`.
    pub module: String,
    /// Mode or reference.
    pub variant: String,
    /// Against the reference.
    pub score: Score,
    /// Outcomes of the cases that were reached.
    pub counts: OutcomeCounts,
    /// Why the module did not load, when it did not.
    pub not_loaded: Option<String>,
}

/// Why a case is in the list of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiffKind {
    /// Passes without the JIT and not with it.
    JitBug,
    /// Passed at the revision before and does not now.
    Regression,
    /// Both outcomes on one build; raises no alert.
    Flaky,
}

/// A case whose outcome differs between modes, revisions or reruns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseDiff {
    /// What kind of difference.
    pub kind: DiffKind,
    /// Module, e.g. `test_int`.
    pub module: String,
    /// Case id within the module.
    pub case: String,
    /// Variant and outcome there, in the order of the variants. For a regression: `before` and the mode.
    pub outcomes: Vec<(String, CaseOutcome)>,
    /// Last line of the failing outcome, may be empty.
    pub detail: String,
}

/// The library tests of one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryReport {
    /// Position of the revision.
    pub position: i64,
    /// The run they were taken in.
    pub run: i64,
    /// Name of the reference variant, `None` when it did not run; then no score has a share.
    pub reference: Option<String>,
    /// Variants that ran, modes in their order and the reference last.
    pub variants: Vec<String>,
    /// One row per module and variant, sorted by module and then as `variants`.
    pub modules: Vec<ModuleScore>,
    /// Differences, JIT bugs first.
    pub diffs: Vec<CaseDiff>,
}

impl LibraryReport {
    /// Score of `variant` over all modules.
    #[must_use]
    pub fn score(&self, variant: &str) -> Score {
        self.of(variant)
            .fold(Score::default(), |sum, row| sum.plus(row.score))
    }

    /// Outcomes of `variant` over all modules.
    #[must_use]
    pub fn counts(&self, variant: &str) -> OutcomeCounts {
        self.of(variant)
            .fold(OutcomeCounts::default(), |mut sum, row| {
                sum.merge(&row.counts);
                sum
            })
    }

    /// Modules of `variant` that did not load.
    #[must_use]
    pub fn not_loaded(&self, variant: &str) -> usize {
        self.of(variant)
            .filter(|row| row.not_loaded.is_some())
            .count()
    }

    fn of<'a>(&'a self, variant: &'a str) -> impl Iterator<Item = &'a ModuleScore> {
        self.modules
            .iter()
            .filter(move |row| row.variant == variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for outcome in CaseOutcome::ALL {
            assert_eq!(CaseOutcome::from_word(outcome.word()), Some(outcome));
        }
        assert_eq!(CaseOutcome::from_word("passed"), None);
    }

    #[test]
    fn no_reference_no_share() {
        assert_eq!(
            Score {
                passing: 3,
                reference: 0
            }
            .share(),
            None
        );
        assert_eq!(
            Score {
                passing: 3,
                reference: 4
            }
            .share(),
            Some(0.75)
        );
    }

    #[test]
    fn counts_merge() {
        let mut a = OutcomeCounts::default();
        a.add(CaseOutcome::Crash, 2);
        let mut b = OutcomeCounts::default();
        b.add(CaseOutcome::Crash, 1);
        b.add(CaseOutcome::Pass, 5);
        a.merge(&b);
        assert_eq!(
            (
                a.get(CaseOutcome::Crash),
                a.get(CaseOutcome::Pass),
                a.total()
            ),
            (3, 5, 8)
        );
    }
}
