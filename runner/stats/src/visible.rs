//! The smallest change that would have been seen.
//!
//! "No change" alone is worth nothing: with noise enough nothing is ever seen. So beside it stands the step that the same rule would
//! have found in 80 % of repetitions. A step δ is found when the difference D of mean logs clears both conditions,
//!
//! ```text
//! D > max(t₀.₉₉ · SE,  margin + t₀.₉₅ · SE)
//! ```
//!
//! where in a repetition D ~ N(δ, σ²) and SE² ~ σ² χ²_ν / ν. The true σ is not known either: given the error seen, σ² has the
//! distribution SE² ν / χ²_ν. Averaging over both gives the share of repetitions of the whole experiment in which a step of the size
//! printed would be found; taking σ = SE instead promises 80 % and keeps 70 % at five processes a side.
//!
//! Sources: the power of the t test as in Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), chapter 2; averaged over the
//! unknown σ ("assurance") after O'Hagan, Stevens and Campbell, Pharmaceutical Statistics 4 (2005).

use crate::rule::{ALPHA, CONFIDENCE};
use crate::special::{chi2_quantile, normal_cdf_fast, t_critical};

/// Probability with which the step is to be found.
pub const POWER: f64 = 0.8;
/// Largest step looked for, as a difference of logs (a factor of 20).
const LARGEST: f64 = 3.0;
/// Points of the integration over each χ².
const NODES: u32 = 12;

/// Smallest difference of mean logs found with probability [`POWER`], given the standard error and degrees of freedom of one
/// comparison and the margin its interval has to clear. `None` when even a factor of 20 would not be.
#[must_use]
pub fn smallest_visible(error: f64, df: f64, margin: f64) -> Option<f64> {
    if error == 0.0 {
        return Some(margin);
    }
    if !error.is_finite() || df.is_nan() || df <= 0.0 {
        return None;
    }
    let power = Power::new(error, df, margin);
    if power.at(LARGEST) < POWER {
        return None;
    }
    let (mut low, mut high) = (0.0, LARGEST);
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if power.at(middle) < POWER {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

struct Power {
    /// Possible true errors, equally probable.
    sigmas: Vec<f64>,
    /// Possible observed errors as multiples of the true one, equally probable.
    factors: Vec<f64>,
    t_alpha: f64,
    t_interval: f64,
    margin: f64,
}

impl Power {
    fn new(error: f64, df: f64, margin: f64) -> Power {
        let factors: Vec<f64> = (0..NODES)
            .map(|i| (f64::from(i) + 0.5) / f64::from(NODES))
            .map(|p| (chi2_quantile(p, df) / df).sqrt())
            .collect();
        Power {
            sigmas: factors.iter().map(|factor| error / factor).collect(),
            factors,
            t_alpha: t_critical(ALPHA, df),
            t_interval: t_critical(1.0 - CONFIDENCE, df),
            margin,
        }
    }

    fn at(&self, step: f64) -> f64 {
        let mut sum = 0.0;
        for sigma in &self.sigmas {
            for factor in &self.factors {
                let seen = sigma * factor;
                let needed = (self.t_alpha * seen).max(self.margin + self.t_interval * seen);
                sum += normal_cdf_fast((step - needed) / sigma);
            }
        }
        sum / (self.sigmas.len() * self.factors.len()) as f64
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rng::Rng;
    use crate::rule::{Verdict, judge};

    #[test]
    fn without_noise_the_margin_is_what_is_seen() {
        assert_eq!(smallest_visible(0.0, 8.0, 0.01), Some(0.01));
    }

    #[test]
    fn more_noise_and_fewer_processes_hide_more() {
        let quiet = smallest_visible(0.001, 18.0, 0.01).unwrap();
        let noisy = smallest_visible(0.01, 18.0, 0.01).unwrap();
        let few = smallest_visible(0.01, 8.0, 0.01).unwrap();
        assert!(quiet < noisy && noisy < few, "{quiet} {noisy} {few}");
        assert_eq!(smallest_visible(9.0, 2.0, 0.01), None);
    }

    #[test]
    fn a_step_of_the_size_printed_is_found_in_75_to_85_percent() {
        for (n, s, seed) in [(5, 0.02, 1), (10, 0.02, 2), (10, 0.003, 3), (20, 0.01, 4)] {
            let mut rng = Rng::new(seed);
            let mut side =
                |shift: f64| -> Vec<f64> { (0..n).map(|_| shift + s * rng.normal()).collect() };
            let trials = 1_500;
            let found = (0..trials)
                .filter(|_| {
                    let printed = judge(&side(0.0), &side(0.0), None).unwrap();
                    let step = printed.smallest_visible.unwrap().ln_1p();
                    judge(&side(0.0), &side(step), None).unwrap().verdict == Verdict::Larger
                })
                .count();
            let share = found as f64 / f64::from(trials);
            assert!((0.75..=0.85).contains(&share), "n {n} s {s}: {share}");
        }
    }
}
