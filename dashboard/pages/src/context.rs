//! What all pages of a scope share: its revisions, variants and benchmarks, links, and the way to look up
//! readings.

use std::collections::HashMap;

use dashboard_api::{
    Benchmark, Cell, Dropped, Geomean, Reading, Revision, Role, Scope, Source, SourceError,
    Variant, geomean,
};

/// The shared facts of one scope.
pub(crate) struct Context<'s> {
    pub(crate) source: &'s dyn Source,
    pub(crate) scope: Scope,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) variants: Vec<Variant>,
    pub(crate) benchmarks: Vec<Benchmark>,
}

impl<'s> Context<'s> {
    pub(crate) fn load(source: &'s dyn Source, scope: Scope) -> Result<Self, SourceError> {
        Ok(Self {
            revisions: source.revisions(&scope)?,
            variants: source.variants(&scope)?,
            benchmarks: source.benchmarks(&scope)?,
            source,
            scope,
        })
    }

    pub(crate) fn revision(&self, position: i64) -> Option<&Revision> {
        let at = self
            .revisions
            .binary_search_by_key(&position, |r| r.position)
            .ok()?;
        self.revisions.get(at)
    }

    /// The short id of a revision, or its position when it is not stored.
    pub(crate) fn short(&self, position: i64) -> String {
        self.revision(position)
            .map_or_else(|| format!("#{position}"), |r| r.short().to_owned())
    }

    pub(crate) fn modes(&self) -> impl DoubleEndedIterator<Item = &Variant> {
        self.variants.iter().filter(|v| v.role == Role::Mode)
    }

    pub(crate) fn baselines(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(|v| v.role == Role::Baseline)
    }

    /// The mode people mean when they say "how fast is it": `opt`, else the last timed one.
    pub(crate) fn main_mode(&self) -> Option<&Variant> {
        self.modes()
            .find(|v| v.name == "opt")
            .or_else(|| self.modes().next_back())
    }

    /// The series ink of a variant: fixed for the three standard modes, by order for others, so that a mode
    /// has the same colour on every page.
    pub(crate) fn series(&self, variant: &str) -> u8 {
        match variant {
            "off" => return 0,
            "noopt" => return 1,
            "opt" => return 2,
            _ => {}
        }
        let place = |role: Role| {
            self.variants
                .iter()
                .filter(|v| v.role == role)
                .position(|v| v.name == variant)
        };
        if let Some(n) = place(Role::Baseline) {
            return if n.is_multiple_of(2) { 3 } else { 4 };
        }
        [5, 6, 7][place(Role::Mode)
            .or_else(|| place(Role::Stress))
            .unwrap_or(0)
            % 3]
    }

    /// Dashes for lines: baselines are dashed.
    pub(crate) fn dash(&self, variant: &str) -> f64 {
        let baseline = self.baselines().any(|v| v.name == variant);
        if baseline { 5.0 } else { 0.0 }
    }
}

/// Readings by what they belong to.
#[derive(Default)]
pub(crate) struct Readings {
    modes: HashMap<(String, String, i64), Cell>,
    baselines: HashMap<(String, String, i64), Cell>,
}

impl Readings {
    pub(crate) fn new(cells: Vec<Cell>) -> Self {
        let mut readings = Self::default();
        for cell in cells {
            let (map, key) = match cell.position {
                Some(position) => (&mut readings.modes, position),
                None => (&mut readings.baselines, cell.run),
            };
            map.insert((cell.benchmark.clone(), cell.variant.clone(), key), cell);
        }
        readings
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.modes.is_empty() && self.baselines.is_empty()
    }

    /// The cell of a mode at a revision.
    pub(crate) fn mode(&self, benchmark: &str, mode: &str, position: i64) -> Option<&Cell> {
        self.modes
            .get(&(benchmark.to_owned(), mode.to_owned(), position))
    }

    /// The cell of a baseline in a run.
    pub(crate) fn baseline(&self, benchmark: &str, baseline: &str, run: i64) -> Option<&Cell> {
        self.baselines
            .get(&(benchmark.to_owned(), baseline.to_owned(), run))
    }

    /// The cell of a baseline in the run in which `cell` was measured: the only one it may be compared with.
    pub(crate) fn beside(&self, cell: &Cell, baseline: &str) -> Option<&Cell> {
        self.baseline(&cell.benchmark, baseline, cell.run)
    }

    /// Positions with a reading of a mode, oldest first.
    pub(crate) fn positions(&self) -> Vec<i64> {
        let mut all: Vec<i64> = self.modes.keys().map(|k| k.2).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// All cells that failed, modes first, in a fixed order.
    pub(crate) fn failures(&self) -> Vec<&Cell> {
        let mut failed: Vec<&Cell> = self
            .modes
            .values()
            .chain(self.baselines.values())
            .filter(|c| c.reading.failure().is_some_and(|o| o.is_failure()))
            .collect();
        failed.sort_by_key(|c| {
            (
                c.position.is_none(),
                std::cmp::Reverse(c.position),
                c.benchmark.clone(),
                c.variant.clone(),
                c.run,
            )
        });
        failed
    }

    /// Geometric mean speed-up of `mode` at `position` over `baseline` in the same runs.
    pub(crate) fn over_baseline(
        &self,
        benchmarks: &[Benchmark],
        mode: &str,
        position: i64,
        baseline: &str,
    ) -> Result<Geomean, Vec<Dropped>> {
        geomean(benchmarks.iter().map(|b| {
            let cell = self.mode(&b.name, mode, position);
            let beside = cell.and_then(|c| self.beside(c, baseline));
            (b.name.as_str(), reading(cell), reading(beside))
        }))
    }

    /// Geometric mean of `old` over `new`, two (mode, position) pairs.
    pub(crate) fn between(
        &self,
        benchmarks: &[Benchmark],
        new: (&str, i64),
        old: (&str, i64),
    ) -> Result<Geomean, Vec<Dropped>> {
        geomean(benchmarks.iter().map(|b| {
            (
                b.name.as_str(),
                reading(self.mode(&b.name, new.0, new.1)),
                reading(self.mode(&b.name, old.0, old.1)),
            )
        }))
    }
}

fn reading(cell: Option<&Cell>) -> Option<&Reading> {
    cell.map(|c| &c.reading)
}
