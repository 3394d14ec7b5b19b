//! Warm-up curves: time per iteration within a process, median and range over processes.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Mark, Size, fit, text_width};
use crate::ink::Ink;
use crate::scale::Scale;

/// The curve of one mode or baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Name, written at its end.
    pub name: String,
    /// Which series ink it uses.
    pub series: u8,
    /// Length of its dashes in pixels, 0 for a solid line.
    pub dash: f64,
    /// Per iteration the median, smallest and largest seconds over the processes; all above zero.
    pub iterations: Vec<(f64, f64, f64)>,
    /// First iteration of the steady state, counted from 0.
    pub steady_from: Option<u32>,
}

/// Seconds per iteration over the iterations of a process, on a log axis.
#[derive(Clone, Debug)]
pub struct Warmup {
    /// Curves.
    pub curves: Vec<Curve>,
    /// Text of a tick or value in seconds.
    pub format: fn(f64) -> String,
}

const LEFT: f64 = 66.0;
const TOP: f64 = 30.0;

impl Warmup {
    fn range(&self) -> Option<(f64, f64)> {
        let values = self.curves.iter().flat_map(|c| &c.iterations);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(a, b), &(_, min, max)| {
            (a.min(min), b.max(max))
        });
        (low <= high && low > 0.0).then_some((low * 0.93, high * 1.07))
    }

    fn draw_curve(
        &self,
        canvas: &mut Canvas<'_>,
        curve: &Curve,
        x: &Scale,
        y: &Scale,
    ) -> Result<(), ChartError> {
        let ink = Ink::Series(curve.series);
        let px = |i: usize| x.px(i as f64 + 1.0);
        let upper = curve
            .iterations
            .iter()
            .enumerate()
            .map(|(i, v)| (px(i), y.px(v.2)));
        let lower = curve
            .iterations
            .iter()
            .enumerate()
            .rev()
            .map(|(i, v)| (px(i), y.px(v.1)));
        if curve.iterations.len() > 1 {
            canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), ink, 0.14)?;
        }
        let median: Vec<_> = curve
            .iterations
            .iter()
            .enumerate()
            .map(|(i, v)| (px(i), y.px(v.0)))
            .collect();
        canvas.dashed(&median, ink, 2.0, curve.dash)?;
        let markers = curve.iterations.len() <= 50;
        for (i, (&(mx, my), &(value, min, max))) in median.iter().zip(&curve.iterations).enumerate()
        {
            if markers {
                canvas.marker((mx, my), curve.series, 2.6)?;
            }
            let f = self.format;
            let label = format!(
                "{}, iteration {}\nmedian {}\n{} to {}",
                curve.name,
                i + 1,
                f(value),
                f(min),
                f(max)
            );
            canvas.mark(Mark {
                x: mx,
                y: my,
                series: Some(curve.series),
                label,
                href: None,
                area: None,
            });
        }
        if let Some(&(sx, sy)) = curve.steady_from.and_then(|s| median.get(s as usize)) {
            canvas.line(&[(sx, sy - 11.0), (sx, sy + 11.0)], ink, 1.0, 2.4)?;
            canvas.text(
                "steady",
                (sx + 5.0, sy - 13.0),
                Anchor::Start,
                ink,
                11.0,
                false,
            )?;
        }
        Ok(())
    }
}

impl Figure for Warmup {
    fn name(&self) -> &'static str {
        "Warm-up"
    }

    fn description(&self) -> String {
        let names: Vec<_> = self.curves.iter().map(|c| c.name.as_str()).collect();
        format!(
            "Seconds per iteration from the start of a process, for {}",
            names.join(", ")
        )
    }

    fn size(&self, width: u32) -> Size {
        Size {
            width,
            height: if width >= 600 { 360 } else { 300 },
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let (w, h) = (
            f64::from(canvas.size().width),
            f64::from(canvas.size().height),
        );
        let names = self
            .curves
            .iter()
            .map(|c| text_width(&c.name, 12.0))
            .fold(0.0, f64::max);
        let right = if w >= 600.0 {
            w - (names + 22.0).min(150.0)
        } else {
            w - 14.0
        };
        let bottom = h - 44.0;
        let longest = self
            .curves
            .iter()
            .map(|c| c.iterations.len())
            .max()
            .unwrap_or(0)
            .max(2);
        let x = Scale::new(0.5, longest as f64 + 0.5, false, LEFT, right);
        canvas.text(
            "time per iteration",
            (LEFT - 54.0, 12.0),
            Anchor::Start,
            Ink::Muted,
            12.0,
            false,
        )?;
        canvas.text(
            "iteration",
            (f64::midpoint(LEFT, right), h - 10.0),
            Anchor::Middle,
            Ink::Muted,
            12.0,
            false,
        )?;
        canvas.line(&[(LEFT, bottom), (right, bottom)], Ink::Axis, 1.0, 1.0)?;
        for tick in x
            .ticks(10)
            .into_iter()
            .filter(|t| t.fract().abs() < 1e-9 && *t >= 1.0)
        {
            let px = x.px(tick);
            canvas.line(&[(px, bottom), (px, bottom + 4.0)], Ink::Axis, 1.0, 1.0)?;
            canvas.text(
                &format!("{tick:.0}"),
                (px, bottom + 14.0),
                Anchor::Middle,
                Ink::Muted,
                11.5,
                false,
            )?;
        }
        let Some((low, high)) = self.range() else {
            return Ok(());
        };
        let y = Scale::new(low, high, true, bottom, TOP);
        for tick in y.ticks(5) {
            let py = y.px(tick);
            canvas.line(&[(LEFT, py), (right, py)], Ink::Grid, 1.0, 1.0)?;
            canvas.text(
                &(self.format)(tick),
                (LEFT - 8.0, py),
                Anchor::End,
                Ink::Muted,
                11.5,
                false,
            )?;
        }
        for curve in &self.curves {
            self.draw_curve(canvas, curve, &x, &y)?;
        }
        if w >= 600.0 {
            let mut ends: Vec<_> = self
                .curves
                .iter()
                .filter_map(|c| Some((y.px(c.iterations.last()?.0), c)))
                .collect();
            ends.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut last = f64::MIN;
            for (py, curve) in ends {
                last = py.max(last + 14.0);
                let name = fit(&curve.name, w - right - 12.0, 12.0);
                canvas.text(
                    &name,
                    (right + 8.0, last),
                    Anchor::Start,
                    Ink::Series(curve.series),
                    12.0,
                    true,
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::svg;

    #[test]
    fn the_steady_state_is_marked_where_it_begins() {
        let curve = |steady_from| Curve {
            name: "opt".to_owned(),
            series: 2,
            dash: 0.0,
            iterations: vec![(0.2, 0.19, 0.21), (0.02, 0.019, 0.03), (0.01, 0.01, 0.011)],
            steady_from,
        };
        let figure = |steady| Warmup {
            curves: vec![curve(steady)],
            format: |v| format!("{v} s"),
        };
        assert!(
            svg(&figure(Some(1)), 900)
                .expect("draws")
                .contains("steady")
        );
        assert!(!svg(&figure(None), 900).expect("draws").contains("steady"));
        assert!(
            !svg(&figure(Some(9)), 900)
                .expect("draws")
                .contains("steady"),
            "beyond the last iteration"
        );
    }

    #[test]
    fn no_curves_draw_axes_only() {
        svg(
            &Warmup {
                curves: Vec::new(),
                format: |v| format!("{v}"),
            },
            900,
        )
        .expect("draws");
    }
}
