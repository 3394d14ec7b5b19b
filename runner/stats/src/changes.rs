//! Where a series shifts: change points.
//!
//! The problem: the points of many nights, one per commit, with noise; at which commits did the level change? The idea is Hunter's: split
//! with E-divisive means, which finds the place where the two parts are farthest apart in energy distance, as long as a *relaxed* t test
//! calls them different; then merge from the weakest upward until every remaining change passes the strict test. Deterministic, and a
//! change found stays where it is when later points arrive.
//!
//! ```text
//! points  1.0 1.1 0.9 1.0 1.6 1.5 1.6 1.0 …      split: 4, 7        merge: both p ≤ 0.001, kept
//! ```
//!
//! [`split_merge`] is that algorithm alone, with the same indices as Apache Otava: its t test takes the population's standard
//! deviation, and a change whose left neighbour is given up keeps its p. [`changes`] is what the platform acts on: every p is
//! measured again, and a level of a single point is a spike, not a change, so the weaker border
//! of such a level is given up until none is left.
//!
//! Sources: Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data", JASA 109 (2014); Fleming et
//! al., "Hunter: Using Change Point Detection to Hunt for Performance Regressions", ICPE 2023.

use crate::special::t_two_sided;
use crate::{StatsError, sample};
use serde::{Deserialize, Serialize};

/// Points looked at together.
pub const WINDOW: usize = 50;
/// Largest p of a change that stays.
pub const MAX_P: f64 = 0.001;
/// How much larger p may be in the first pass.
const RELAXED: f64 = 10.0;
/// Points each side needs for a change at all.
pub const MIN_SIDE: usize = 2;
/// Points each side needs for a change to count as established.
pub const ESTABLISHED_SIDE: usize = 5;

/// A shift of the level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// First point on the new level.
    pub index: usize,
    /// Two-sided p of Student's t between the levels left and right.
    pub p: f64,
    pub mean_before: f64,
    pub mean_after: f64,
    /// Points of the level before and after, up to the neighbouring changes.
    pub before: usize,
    pub after: usize,
}

impl Change {
    /// Whether both levels have points enough to be believed without asking again.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.before.min(self.after) >= ESTABLISHED_SIDE
    }
}

/// The changes the platform acts on, by index: each with at least [`MIN_SIDE`] points on either side. Give it logs of points.
///
/// # Errors
/// [`StatsError::NotFinite`].
pub fn changes(series: &[f64]) -> Result<Vec<Change>, StatsError> {
    let mut found = measured_again(series, &split_merge(series, WINDOW, MAX_P)?);
    while let Some(short) = found
        .iter()
        .position(|change| change.before.min(change.after) < MIN_SIDE)
    {
        // Of the borders of the short level the weaker one goes; at an end of the series there is only one.
        let change = found[short];
        let other = if change.after < MIN_SIDE {
            short + 1
        } else {
            short.wrapping_sub(1)
        };
        let weaker = match found.get(other) {
            Some(rival) if rival.p > change.p => other,
            _ => short,
        };
        found.remove(weaker);
        found = measured_again(series, &found);
    }
    Ok(found)
}

/// The same changes, each measured against its present neighbours, without those that then fail the test.
fn measured_again(series: &[f64], found: &[Change]) -> Vec<Change> {
    let indices: Vec<usize> = found.iter().map(|change| change.index).collect();
    merge(series, described(series, &indices), MAX_P, false)
}

/// Hunter's algorithm with windows of `window` points and significance `max_p`.
///
/// # Errors
/// [`StatsError::NotFinite`].
///
/// # Panics
/// When `window` is below 2.
pub fn split_merge(series: &[f64], window: usize, max_p: f64) -> Result<Vec<Change>, StatsError> {
    assert!(window >= 2, "a window of one point holds no change");
    sample::check_finite(series)?;
    let mut indices: Vec<usize> = Vec::new();
    let mut start = 0;
    while start < series.len() {
        let end = series.len().min(start + window);
        let found = divide(&series[start..end], max_p * RELAXED);
        let last = found.last().map_or(0, |index| index + start);
        indices.extend(found.iter().map(|index| index + start));
        start = last.max(start + window / 2);
    }
    indices.sort_unstable();
    indices.dedup();
    Ok(merge(series, described(series, &indices), max_p, true))
}

/// E-divisive means over one window: splits where the parts are farthest apart while the split is significant.
fn divide(series: &[f64], max_p: f64) -> Vec<usize> {
    let energy = Energy::of(series);
    let mut found: Vec<usize> = Vec::new();
    loop {
        let mut best: Option<(f64, usize, usize, usize)> = None;
        for (low, high) in levels(&found, series.len()) {
            if let Some((q, index)) = energy.farthest(low, high)
                && best.is_none_or(|(most, ..)| q > most)
            {
                best = Some((q, index, low, high));
            }
        }
        let Some((_, index, low, high)) = best else {
            return found;
        };
        // A comparison with NaN is false: two constant parts of the same value are no change.
        if t_test(&series[low..index], &series[index..high]) <= max_p {
            found.push(index);
            found.sort_unstable();
        } else {
            return found;
        }
    }
}

/// Gives up the weakest change until all pass. `as_otava`: the change left of one given up keeps its p from before, as in Otava (and
/// the program of the paper), which measure again only to the right.
fn merge(series: &[f64], mut found: Vec<Change>, max_p: f64, as_otava: bool) -> Vec<Change> {
    while let Some(weakest) =
        (0..found.len()).reduce(|a, b| if found[b].p > found[a].p { b } else { a })
    {
        if found[weakest].p < max_p {
            break;
        }
        found.remove(weakest);
        let indices: Vec<usize> = found.iter().map(|change| change.index).collect();
        let again = described(series, &indices);
        if as_otava {
            let right = weakest..found.len().min(weakest + 2);
            found[right.clone()].copy_from_slice(&again[right]);
        } else {
            found = again;
        }
    }
    found
}

/// The changes at `indices` (ascending), each measured against the levels up to its neighbours.
fn described(series: &[f64], indices: &[usize]) -> Vec<Change> {
    let levels = levels(indices, series.len());
    levels
        .windows(2)
        .map(|pair| {
            let (left, right) = (&series[pair[0].0..pair[0].1], &series[pair[1].0..pair[1].1]);
            Change {
                index: pair[1].0,
                p: t_test(left, right),
                mean_before: sample::mean(left),
                mean_after: sample::mean(right),
                before: left.len(),
                after: right.len(),
            }
        })
        .collect()
}

/// Half-open ranges between the changes.
fn levels(indices: &[usize], len: usize) -> Vec<(usize, usize)> {
    let mut borders = vec![0];
    borders.extend_from_slice(indices);
    borders.push(len);
    borders.windows(2).map(|w| (w[0], w[1])).collect()
}

/// Student's t test with pooled variance. The standard deviations are the population's (divided by n), as Otava's are; a side of one
/// point has none. 1 for two points in all, NaN for two equal constants.
fn t_test(left: &[f64], right: &[f64]) -> f64 {
    let (n, m) = (left.len() as f64, right.len() as f64);
    if n + m <= 2.0 {
        return 1.0;
    }
    let (a, b) = (sample::mean(left), sample::mean(right));
    let population = |side: &[f64], centre: f64| {
        side.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / side.len() as f64
    };
    let pooled =
        ((n - 1.0) * population(left, a) + (m - 1.0) * population(right, b)) / (n + m - 2.0);
    t_two_sided((a - b) / (pooled * (1.0 / n + 1.0 / m)).sqrt(), n + m - 2.0)
}

/// Sums of distances, so that each energy distance is a few subtractions.
struct Energy {
    /// `sums[j][i]`: Σ |x_k − x_j| over k < i.
    sums: Vec<Vec<f64>>,
}

impl Energy {
    fn of(series: &[f64]) -> Energy {
        let sums = series
            .iter()
            .map(|x| {
                let mut sum = 0.0;
                let mut row = Vec::with_capacity(series.len() + 1);
                row.push(0.0);
                for y in series {
                    sum += (y - x).abs();
                    row.push(sum);
                }
                row
            })
            .collect();
        Energy { sums }
    }

    /// The largest Q(τ, κ) within `low..high` with its τ: the scaled energy distance between `low..τ` and `τ..κ`. The first of equals.
    fn farthest(&self, low: usize, high: usize) -> Option<(f64, usize)> {
        let mut best: Option<(f64, usize)> = None;
        let mut inside_left = 0.0;
        for tau in low + 1..high {
            // Σ over pairs within low..tau.
            inside_left += self.sums[tau - 1][tau - 1] - self.sums[tau - 1][low];
            let (mut across, mut inside_right) = (0.0, 0.0);
            for kappa in tau + 1..=high {
                let last = &self.sums[kappa - 1];
                across += last[tau] - last[low];
                inside_right += last[kappa - 1] - last[tau];
                let (n, m) = ((tau - low) as f64, (kappa - tau) as f64);
                let scale = 2.0 / (n + m);
                let mut q = scale * across;
                if n > 1.0 {
                    q -= scale * m / (n - 1.0) * inside_left;
                }
                if m > 1.0 {
                    q -= scale * n / (m - 1.0) * inside_right;
                }
                if best.is_none_or(|(most, _)| q > most) {
                    best = Some((q, tau));
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rng::Rng;

    fn noisy(levels: &[(f64, usize)], noise: f64, seed: u64) -> Vec<f64> {
        let mut rng = Rng::new(seed);
        levels
            .iter()
            .flat_map(|&(level, n)| std::iter::repeat_n(level, n))
            .map(|level| level + noise * rng.normal())
            .collect()
    }

    fn indices(series: &[f64]) -> Vec<usize> {
        changes(series)
            .unwrap()
            .iter()
            .map(|change| change.index)
            .collect()
    }

    #[test]
    fn short_and_constant_series_have_no_change() {
        for n in 0..4 {
            assert_eq!(indices(&vec![1.0; n]), Vec::<usize>::new());
        }
        assert_eq!(indices(&[1.0; 60]), Vec::<usize>::new());
        assert_eq!(
            changes(&[1.0, f64::NAN]),
            Err(StatsError::NotFinite { index: 1 })
        );
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        let series = noisy(&[(0.0, 20), (0.1, 20)], 0.01, 1);
        let found = changes(&series).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].index, found[0].before, found[0].after),
            (20, 20, 20)
        );
        assert!(found[0].is_established() && found[0].mean_after > found[0].mean_before);
    }

    #[test]
    fn several_steps_over_several_windows_are_found() {
        let series = noisy(&[(0.0, 40), (0.2, 45), (0.1, 60)], 0.01, 2);
        assert_eq!(indices(&series), [40, 85]);
    }

    #[test]
    fn a_spike_is_no_change() {
        let mut series = noisy(&[(0.0, 40)], 0.01, 3);
        series[20] += 0.3;
        assert_eq!(indices(&series), Vec::<usize>::new());
        let end = series.len() - 1;
        series[end] += 0.3;
        assert_eq!(indices(&series), Vec::<usize>::new());
    }

    #[test]
    fn a_change_with_two_points_is_provisional() {
        let series = noisy(&[(0.0, 30), (0.2, 2)], 0.01, 4);
        let found = changes(&series).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].index, found[0].after), (30, 2));
        assert!(!found[0].is_established());
    }

    #[test]
    fn the_index_of_a_five_percent_step_is_exact_in_nine_of_ten() {
        let exact = (0..200)
            .filter(|seed| {
                indices(&noisy(&[(0.0, 10), (1.05f64.ln(), 10)], 0.01, 100 + seed)) == [10]
            })
            .count();
        assert!(exact >= 180, "{exact} of 200");
    }
}
