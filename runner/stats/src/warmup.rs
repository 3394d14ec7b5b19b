//! When does a process reach its steady state, and what kind of warm-up was it?
//!
//! A JIT VM is slow, then compiles, then (one hopes) is fast; some get slower, some never settle. Dropping "the first ten" is a guess.
//! The idea: cut the times of the iterations into segments of constant mean and variance, then look from the end which segments are as good as the
//! last one.
//!
//! ```text
//! times     9 9 9 4 4 4 4 4 4 4 4 4 4 4 4      segments 0..3, 3..15; the last begins in the first three quarters
//! steady_from = 3, class warm-up
//! ```
//!
//! 1. Outliers (farther from the median than 3 (p90 − p10), over a window of 200) are left out of the segmentation: one
//!    collection pause is no new level. Outliers at the very beginning are not noise but warm-up, and end up before the steady state.
//! 2. PELT with the normal likelihood of mean and variance, penalty 15 ln n.
//! 3. Segments at the end whose mean is within max(standard deviation of the last, 0.1 %) of the last one's are steady; they must cover
//!    the last quarter. (The paper's program compares with the variance, whose unit is not that of a mean.)
//! 4. The class: flat when all is steady, warm-up when no earlier segment was faster, else slowdown.
//!
//! Sources: Barrett, Bolz-Tereick, Killick, Mount and Tratt, "Virtual Machine Warmup Blows Hot and Cold", OOPSLA 2017; Killick, Fearnhead and
//! Eckley, "Optimal Detection of Changepoints with a Linear Computational Cost", JASA 107 (2012). They ran 2,000 iterations
//! per process; with the tens of a nightly a short warm-up counts as flat when it is within the noise.

use crate::{StatsError, sample};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Iterations below which nothing is said.
pub const MIN_ITERATIONS: usize = 8;
/// Relative difference below which levels are equal.
pub const EQUAL: f64 = 0.001;
/// Penalty per change, in units of ln n.
const PENALTY: f64 = 15.0;
/// Iterations an outlier is compared with.
const WINDOW: usize = 200;
/// Relative standard deviation below which a segment counts as this noisy: clocks have a grain.
const GRAIN: f64 = 1e-4;

/// The kind of warm-up of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Level from the first iteration on.
    Flat,
    /// Slower first, then level.
    WarmUp,
    /// Faster before than at the end.
    Slowdown,
    /// Not level over the last quarter.
    NoSteadyState,
}

/// The kind of warm-up of a benchmark over its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// All processes of this class.
    All(Class),
    /// Some flat, some warm-up: harmless.
    GoodInconsistent,
    /// Any other mixture.
    BadInconsistent,
}

/// What one process did.
#[derive(Debug, Clone, PartialEq)]
pub struct Warmup {
    pub class: Class,
    /// First steady iteration, from 0; `None` without a steady state.
    pub steady_from: Option<usize>,
    /// Ranges of iterations of one level each, outliers included in the one around them.
    pub segments: Vec<Range<usize>>,
    /// Iterations left out of the segmentation.
    pub outliers: Vec<usize>,
}

impl Class {
    /// The word used in the database and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Flat => "flat",
            Class::WarmUp => "warm-up",
            Class::Slowdown => "slowdown",
            Class::NoSteadyState => "no-steady-state",
        }
    }

    /// Reads what [`Class::as_str`] gives.
    #[must_use]
    pub fn parse(word: &str) -> Option<Class> {
        [
            Class::Flat,
            Class::WarmUp,
            Class::Slowdown,
            Class::NoSteadyState,
        ]
        .into_iter()
        .find(|class| class.as_str() == word)
    }
}

impl Agreement {
    /// The class of a benchmark; `None` of nothing.
    #[must_use]
    pub fn of(classes: &[Class]) -> Option<Agreement> {
        let first = *classes.first()?;
        let good = |class: &Class| matches!(class, Class::Flat | Class::WarmUp);
        Some(if classes.iter().all(|class| *class == first) {
            Agreement::All(first)
        } else if classes.iter().all(good) {
            Agreement::GoodInconsistent
        } else {
            Agreement::BadInconsistent
        })
    }

    /// The word used on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Agreement::All(class) => class.as_str(),
            Agreement::GoodInconsistent => "good-inconsistent",
            Agreement::BadInconsistent => "bad-inconsistent",
        }
    }
}

/// Classifies one process by its times per iteration, oldest first, in any unit.
///
/// # Errors
/// [`StatsError::TooFew`] under [`MIN_ITERATIONS`], [`StatsError::NotPositive`].
pub fn classify(times: &[f64]) -> Result<Warmup, StatsError> {
    if times.len() < MIN_ITERATIONS {
        return Err(StatsError::TooFew {
            needed: MIN_ITERATIONS,
            found: times.len(),
        });
    }
    sample::check_positive(times)?;
    let outliers = outliers(times);
    let lead = outliers
        .iter()
        .enumerate()
        .take_while(|(place, index)| place == *index)
        .count();
    // What is left, and where each value was.
    let (places, kept): (Vec<usize>, Vec<f64>) = times
        .iter()
        .enumerate()
        .filter(|(index, _)| outliers.binary_search(index).is_err())
        .map(|(index, time)| (index, *time))
        .unzip();
    let mut cuts = pelt(&kept, PENALTY * (kept.len() as f64).ln());
    cuts.insert(0, 0);
    cuts.push(kept.len());
    let levels: Vec<&[f64]> = cuts.windows(2).map(|w| &kept[w[0]..w[1]]).collect();
    let mut starts: Vec<usize> = cuts[..cuts.len() - 1]
        .iter()
        .map(|cut| places[*cut])
        .collect();
    let mut means: Vec<f64> = levels.iter().map(|level| sample::mean(level)).collect();
    if lead > 0 {
        starts[0] = lead;
        starts.insert(0, 0);
        means.insert(0, sample::mean(&times[..lead]));
    } else {
        starts[0] = 0;
    }
    let last = levels.last().copied().unwrap_or(&kept);
    let level = sample::mean(last);
    let tolerance = sample::sd(last).unwrap_or(0.0).max(EQUAL * level);
    let equal = |mean: f64| (mean - level).abs() <= tolerance;
    let steady = means.len() - means.iter().rev().take_while(|mean| equal(**mean)).count();
    let from = starts[steady];
    let segments = starts
        .iter()
        .zip(starts[1..].iter().chain([&times.len()]))
        .map(|(start, end)| *start..*end)
        .collect();
    let class = if from > times.len() - times.len().div_ceil(4) {
        Class::NoSteadyState
    } else if steady == 0 {
        Class::Flat
    } else if means[..steady]
        .iter()
        .all(|mean| *mean > level || equal(*mean))
    {
        Class::WarmUp
    } else {
        Class::Slowdown
    };
    Ok(Warmup {
        class,
        steady_from: (class != Class::NoSteadyState).then_some(from),
        segments,
        outliers,
    })
}

/// Indices farther from the median of their window than three times the distance between its 10th and 90th percentile.
fn outliers(times: &[f64]) -> Vec<usize> {
    (0..times.len())
        .filter(|&index| {
            let low = index
                .saturating_sub(WINDOW / 2)
                .min(times.len().saturating_sub(WINDOW));
            let window = &times[low..times.len().min(low + WINDOW)];
            let mut sorted = window.to_vec();
            sorted.sort_by(f64::total_cmp);
            let quantile = |p| sample::quantile_sorted(&sorted, p);
            let centre = quantile(0.5);
            let reach = 3.0 * (quantile(0.9) - quantile(0.1)).max(GRAIN * centre);
            (times[index] - centre).abs() > reach
        })
        .collect()
}

/// Optimal segmentation by mean and variance: indices at which segments begin, the first at 0 left out. Segments have at least two values.
#[must_use]
pub fn pelt(values: &[f64], penalty: f64) -> Vec<usize> {
    let n = values.len();
    if n < 4 {
        return Vec::new();
    }
    let likelihood = Likelihood::of(values);
    // best[t]: least cost of values[..t]; last[t]: where its last segment begins.
    let mut best = vec![f64::INFINITY; n + 1];
    let mut last = vec![0; n + 1];
    best[0] = -penalty;
    let mut candidates = vec![0];
    for end in 2..=n {
        let mut costs = Vec::with_capacity(candidates.len());
        for &start in &candidates {
            let cost = best[start] + likelihood.cost(start, end) + penalty;
            costs.push(cost);
            if cost < best[end] {
                (best[end], last[end]) = (cost, start);
            }
        }
        // A start that is worse by more than a change could mend never wins again.
        let limit = best[end] + penalty;
        let mut place = 0;
        candidates.retain(|_| {
            place += 1;
            costs[place - 1] <= limit
        });
        // A segment may begin at `end − 1` from the next end on: it has two values then.
        if end > 2 && best[end - 1].is_finite() {
            candidates.push(end - 1);
        }
    }
    let mut cuts = Vec::new();
    let mut end = n;
    while last[end] > 0 {
        end = last[end];
        cuts.push(end);
    }
    cuts.reverse();
    cuts
}

/// Minus twice the log likelihood of segments, up to a constant.
struct Likelihood {
    /// Sums of the first i values and of their squares, the overall mean taken off for precision.
    sums: Vec<f64>,
    squares: Vec<f64>,
    smallest_variance: f64,
}

impl Likelihood {
    fn of(values: &[f64]) -> Likelihood {
        let centre = sample::mean(values);
        let mut sums = vec![0.0];
        let mut squares = vec![0.0];
        for value in values {
            let x = value - centre;
            sums.push(sums[sums.len() - 1] + x);
            squares.push(squares[squares.len() - 1] + x * x);
        }
        let grain = GRAIN * sample::median(values).abs();
        Likelihood {
            sums,
            squares,
            smallest_variance: (grain * grain).max(f64::MIN_POSITIVE),
        }
    }

    fn cost(&self, start: usize, end: usize) -> f64 {
        let n = (end - start) as f64;
        let mean = (self.sums[end] - self.sums[start]) / n;
        let variance = (self.squares[end] - self.squares[start]) / n - mean * mean;
        n * (variance.max(self.smallest_variance).ln() + 1.0)
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rng::Rng;

    fn times(levels: &[(f64, usize)], noise: f64, seed: u64) -> Vec<f64> {
        let mut rng = Rng::new(seed);
        levels
            .iter()
            .flat_map(|&(level, n)| std::iter::repeat_n(level, n))
            .map(|level| level * (noise * rng.normal()).exp())
            .collect()
    }

    fn class(times: &[f64]) -> (Class, Option<usize>) {
        let warmup = classify(times).unwrap();
        (warmup.class, warmup.steady_from)
    }

    #[test]
    fn the_four_classes() {
        let noise = 0.01;
        assert_eq!(
            class(&times(&[(1.0, 40)], noise, 1)),
            (Class::Flat, Some(0))
        );
        assert_eq!(
            class(&times(&[(3.0, 5), (1.0, 35)], noise, 2)),
            (Class::WarmUp, Some(5))
        );
        assert_eq!(
            class(&times(&[(1.0, 15), (2.0, 25)], noise, 3)),
            (Class::Slowdown, Some(15))
        );
        assert_eq!(
            class(&times(&[(2.0, 35), (1.0, 5)], noise, 4)),
            (Class::NoSteadyState, None)
        );
    }

    #[test]
    fn a_cycle_never_settles_or_is_flat_within_its_own_spread() {
        let cyclic: Vec<f64> = (0..40)
            .map(|i| if i / 10 % 2 == 0 { 1.0 } else { 2.0 })
            .collect();
        let noisy: Vec<f64> = cyclic
            .iter()
            .zip(times(&[(1.0, 40)], 0.01, 5))
            .map(|(a, b)| a * b)
            .collect();
        let (class, from) = class(&noisy);
        assert_eq!((class, from), (Class::Slowdown, Some(30)));
    }

    #[test]
    fn one_slow_first_iteration_is_warm_up_and_one_later_is_noise() {
        let mut first = times(&[(1.0, 40)], 0.01, 6);
        first[0] = 20.0;
        assert_eq!(class(&first), (Class::WarmUp, Some(1)));
        let mut later = times(&[(1.0, 40)], 0.01, 7);
        later[22] = 20.0;
        assert_eq!(class(&later), (Class::Flat, Some(0)));
        assert_eq!(classify(&later).unwrap().outliers, [22]);
    }

    #[test]
    fn a_quick_night_of_twelve_iterations_is_classified() {
        assert_eq!(
            class(&times(&[(4.0, 2), (1.0, 10)], 0.01, 8)),
            (Class::WarmUp, Some(2))
        );
        assert_eq!(class(&times(&[(1.0, 12)], 0.02, 9)), (Class::Flat, Some(0)));
    }

    #[test]
    fn equal_times_are_flat() {
        assert_eq!(class(&[5.0; 10]), (Class::Flat, Some(0)));
    }

    #[test]
    fn too_short_and_impossible_times_are_refused() {
        assert!(matches!(
            classify(&[1.0; 7]),
            Err(StatsError::TooFew { .. })
        ));
        assert!(matches!(
            classify(&[0.0; 8]),
            Err(StatsError::NotPositive { .. })
        ));
    }

    #[test]
    fn segments_cover_all_iterations_once() {
        for seed in 0..50 {
            let warmup = classify(&times(&[(3.0, 6), (2.0, 10), (1.0, 24)], 0.05, seed)).unwrap();
            let mut next = 0;
            for segment in &warmup.segments {
                assert_eq!(segment.start, next);
                next = segment.end;
            }
            assert_eq!(next, 40);
        }
    }

    #[test]
    fn processes_that_disagree_are_named_so() {
        use Class::{Flat, NoSteadyState, WarmUp};
        assert_eq!(Agreement::of(&[]), None);
        assert_eq!(Agreement::of(&[Flat, Flat]), Some(Agreement::All(Flat)));
        assert_eq!(
            Agreement::of(&[Flat, WarmUp]),
            Some(Agreement::GoodInconsistent)
        );
        assert_eq!(
            Agreement::of(&[Flat, NoSteadyState]),
            Some(Agreement::BadInconsistent)
        );
    }
}
