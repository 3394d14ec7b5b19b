//! How much a series moves when nothing happens.
//!
//! The threshold of rustc-perf's "significance": the upper fence of the changes between neighbouring points. It needs no idea of the
//! noise's shape, and one real step among thirty changes does not move it.

use crate::sample::quantile;

/// Neighbouring points looked at.
pub const WINDOW: usize = 30;
/// Changes below which there is no floor: a quartile of fewer says nothing.
pub const MIN_CHANGES: usize = 8;

/// Noise floor of a series of logs, oldest first: Q3 + 3·IQR of |Δ| over the last [`WINDOW`] changes between neighbours, as
/// a distance of logs. `None` with fewer than [`MIN_CHANGES`].
///
/// All points must be of one machine and one benchmark version. Source: the outer fence of Tukey, "Exploratory Data Analysis" (1977).
#[must_use]
pub fn noise_floor(logs: &[f64]) -> Option<f64> {
    let changes: Vec<f64> = logs.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let recent = &changes[changes.len().saturating_sub(WINDOW)..];
    if recent.len() < MIN_CHANGES {
        return None;
    }
    let (q1, q3) = (quantile(recent, 0.25), quantile(recent, 0.75));
    Some(q3 + 3.0 * (q3 - q1))
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_young_series_has_no_floor() {
        assert_eq!(noise_floor(&[0.0; MIN_CHANGES]), None);
        assert_eq!(noise_floor(&[0.0; MIN_CHANGES + 1]), Some(0.0));
    }

    #[test]
    fn one_real_step_does_not_move_the_floor_much() {
        let mut rng = Rng::new(5);
        let calm: Vec<f64> = (0..40).map(|_| 0.01 * rng.normal()).collect();
        let stepped: Vec<f64> = calm
            .iter()
            .enumerate()
            .map(|(i, x)| if i < 20 { *x } else { x + 0.5 })
            .collect();
        let (a, b) = (noise_floor(&calm).unwrap(), noise_floor(&stepped).unwrap());
        assert!((a - b).abs() < 0.3 * a, "{a} {b}");
    }

    #[test]
    fn only_the_last_window_counts() {
        let mut logs: Vec<f64> = (0..100)
            .map(|i| if i % 2 == 0 { 0.0 } else { 9.0 })
            .collect();
        logs.extend([0.5; WINDOW + 1]);
        assert_eq!(noise_floor(&logs), Some(0.0));
    }
}
