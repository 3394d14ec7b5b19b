//! Means, spreads and quantiles of plain samples.

use crate::StatsError;

/// Arithmetic mean; NaN of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased variance; `None` under two values.
#[must_use]
pub fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
    Some(squares / (values.len() - 1) as f64)
}

/// Standard deviation; `None` under two values.
#[must_use]
pub fn sd(values: &[f64]) -> Option<f64> {
    variance(values).map(f64::sqrt)
}

/// Quantile by linear interpolation between order statistics, definition 7 of Hyndman and Fan, "Sample Quantiles in
/// Statistical Packages", The American Statistician 50 (1996). `p` in [0, 1]; NaN of nothing.
#[must_use]
pub fn quantile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_sorted(&sorted, p)
}

/// [`quantile`] of values in ascending order.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = p.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// Median; NaN of nothing.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Median absolute deviation from the median, times 1.4826: an estimate of the standard deviation that half of the values
/// cannot spoil. NaN of nothing.
#[must_use]
pub fn robust_sd(values: &[f64]) -> f64 {
    let centre = median(values);
    let distances: Vec<f64> = values.iter().map(|x| (x - centre).abs()).collect();
    1.4826 * median(&distances)
}

/// The observation a process gives: the log of the mean of its steady iterations.
///
/// # Errors
/// [`StatsError::TooFew`] of nothing, [`StatsError::NotPositive`] for what has no logarithm.
///
/// Source: Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013: means of the highest level of repetition
/// are what intervals are made of.
pub fn log_mean(iterations: &[f64]) -> Result<f64, StatsError> {
    if iterations.is_empty() {
        return Err(StatsError::TooFew {
            needed: 1,
            found: 0,
        });
    }
    check_positive(iterations)?;
    Ok(mean(iterations).ln())
}

pub(crate) fn check_positive(values: &[f64]) -> Result<(), StatsError> {
    match values
        .iter()
        .position(|value| !value.is_finite() || *value <= 0.0)
    {
        Some(index) => Err(StatsError::NotPositive {
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}

pub(crate) fn check_finite(values: &[f64]) -> Result<(), StatsError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(StatsError::NotFinite { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 1.0), 4.0);
        assert_eq!(median(&values), 2.5);
        assert!((quantile(&values, 0.25) - 1.75).abs() < 1e-12);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn one_wild_value_leaves_the_robust_spread_alone() {
        let calm: Vec<f64> = (0..21).map(f64::from).collect();
        let mut wild = calm.clone();
        wild[20] = 1e9;
        assert_eq!(robust_sd(&calm), robust_sd(&wild));
    }

    #[test]
    fn what_has_no_logarithm_is_refused() {
        assert_eq!(
            log_mean(&[1.0, 0.0]),
            Err(StatsError::NotPositive {
                index: 1,
                value: 0.0
            })
        );
        assert!(matches!(log_mean(&[]), Err(StatsError::TooFew { .. })));
        assert!((log_mean(&[1.0, 3.0]).unwrap() - 2f64.ln()).abs() < 1e-15);
    }
}
