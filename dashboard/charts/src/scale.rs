//! Axes: from values to pixels, and the round numbers worth writing beside them.

/// A mapping from values to a range of pixels, linear or logarithmic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    from: f64,
    to: f64,
    log: bool,
    start_px: f64,
    end_px: f64,
}

impl Scale {
    /// Maps `low..high` to `start_px..end_px`; a log scale needs `low > 0`. An empty range is widened.
    pub(crate) fn new(low: f64, high: f64, log: bool, start_px: f64, end_px: f64) -> Self {
        let (from, to) = if log {
            (low.ln(), high.ln())
        } else {
            (low, high)
        };
        let (from, to) = if to - from < 1e-12 {
            (from - 0.5, to + 0.5)
        } else {
            (from, to)
        };
        Self {
            from,
            to,
            log,
            start_px,
            end_px,
        }
    }

    /// The pixel of a value.
    pub(crate) fn px(&self, value: f64) -> f64 {
        let v = if self.log { value.ln() } else { value };
        self.start_px + (v - self.from) / (self.to - self.from) * (self.end_px - self.start_px)
    }

    /// Round values inside the range, about `count` of them, ascending.
    pub(crate) fn ticks(&self, count: usize) -> Vec<f64> {
        if self.log {
            self.log_ticks(count)
        } else {
            linear_ticks(self.from, self.to, count)
        }
    }

    fn log_ticks(&self, count: usize) -> Vec<f64> {
        let decades = (self.to - self.from) / std::f64::consts::LN_10;
        // Fewest steps a decade that still give the wanted number; below half a decade linear ones read better.
        for steps in [&[1.0][..], &[1.0, 3.0], &[1.0, 2.0, 5.0]] {
            if decades * steps.len() as f64 >= count as f64 {
                return self.decade_ticks(steps, count);
            }
        }
        if decades > 0.8 {
            return self.decade_ticks(&[1.0, 2.0, 5.0], count);
        }
        linear_ticks(self.from.exp(), self.to.exp(), count)
    }

    fn decade_ticks(&self, steps: &[f64], count: usize) -> Vec<f64> {
        let first = (self.from / std::f64::consts::LN_10).floor() as i32;
        let last = (self.to / std::f64::consts::LN_10).ceil() as i32;
        let slack = (self.to - self.from) * 1e-9;
        let all: Vec<f64> = (first..=last)
            .flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)))
            .filter(|v| v.ln() >= self.from - slack && v.ln() <= self.to + slack)
            .collect();
        let stride = (all.len() / (count * 2).max(1)).max(1);
        all.into_iter().step_by(stride).collect()
    }
}

fn linear_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count.max(1) as f64;
    if rough <= 0.0 || !rough.is_finite() {
        return vec![low];
    }
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .find(|s| s * magnitude >= rough)
        .unwrap_or(10.0)
        * magnitude;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|k| k as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = Scale::new(0.0, 97.0, false, 0.0, 100.0).ticks(5);
        assert_eq!(ticks, [0.0, 20.0, 40.0, 60.0, 80.0]);
        let ticks = Scale::new(0.4, 120.0, true, 0.0, 100.0).ticks(5);
        assert!(
            ticks.contains(&1.0) && ticks.contains(&10.0) && ticks.contains(&100.0),
            "{ticks:?}"
        );
        assert!(ticks.iter().all(|t| (0.4..=120.0).contains(t)));
    }

    #[test]
    fn a_narrow_log_range_still_has_ticks() {
        let ticks = Scale::new(0.095, 0.104, true, 0.0, 100.0).ticks(4);
        assert!(ticks.len() >= 3, "{ticks:?}");
    }

    #[test]
    fn a_single_value_gets_a_range() {
        let scale = Scale::new(2.0, 2.0, true, 100.0, 0.0);
        assert!((scale.px(2.0) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn log_scales_place_the_middle_factor_in_the_middle() {
        let scale = Scale::new(1.0, 100.0, true, 0.0, 200.0);
        assert!((scale.px(10.0) - 100.0).abs() < 1e-9);
    }
}
