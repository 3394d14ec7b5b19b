//! Speed-up bars: per benchmark one bar for each mode, on a log axis through 1.
//!
//! On a log axis twice as fast and twice as slow are equally far from 1, so bars start there. A failed
//! benchmark has its outcome written in the place of a bar and no length.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Mark, Size, fit, text_width};
use crate::ink::Ink;
use crate::scale::Scale;

/// What stands in one bar's place.
#[derive(Clone, Debug, PartialEq)]
pub enum Bar {
    /// A ratio with its interval (`low == high` draws none).
    Ratio {
        /// Baseline time over the mode's time; above 1 is faster.
        point: f64,
        /// Lower end of the interval.
        low: f64,
        /// Upper end of the interval.
        high: f64,
        /// Text of the tooltip.
        label: String,
    },
    /// No number: why.
    None {
        /// Short text in place of the bar, e.g. `crash` or `not measured`.
        why: String,
        /// Whether it is a failure (and not merely absent).
        failed: bool,
    },
}

/// The bars of one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct BarGroup {
    /// Name.
    pub name: String,
    /// Second line in small print, e.g. the count behind a mean.
    pub note: String,
    /// Where a click leads.
    pub href: Option<String>,
    /// Set apart from the others: the summary.
    pub summary: bool,
    /// One per mode, in the order of [`Bars::modes`].
    pub bars: Vec<Bar>,
}

/// Grouped horizontal bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Modes: name and series ink.
    pub modes: Vec<(String, u8)>,
    /// What 1 means, e.g. `as fast as python3.11`.
    pub baseline: String,
    /// Groups from top to bottom.
    pub groups: Vec<BarGroup>,
}

const BAR: f64 = 15.0;
const GAP: f64 = 16.0;
const TOP: f64 = 40.0;

impl Bars {
    fn group_height(&self) -> f64 {
        (self.modes.len() as f64 * BAR).max(30.0) + GAP
    }

    fn range(&self) -> (f64, f64) {
        let bars = self.groups.iter().flat_map(|g| &g.bars);
        let (low, high) = bars.fold((1.0f64, 1.0f64), |(a, b), bar| match bar {
            Bar::Ratio { low, high, .. } => (a.min(*low), b.max(*high)),
            Bar::None { .. } => (a, b),
        });
        // Room on the slow side keeps the line at 1 off the edge; a minimum keeps small ratios from filling the figure.
        (low.min(0.9) * 0.92, high.max(2.0) * 1.05)
    }

    fn draw_group(
        &self,
        canvas: &mut Canvas<'_>,
        group: &BarGroup,
        top: f64,
        x: &Scale,
        (name_right, right): (f64, f64),
    ) -> Result<(), ChartError> {
        let height = self.modes.len() as f64 * BAR;
        let middle = top + height / 2.0;
        let name = fit(&group.name, name_right - 10.0, 13.0);
        let shift = if group.note.is_empty() { 0.0 } else { 8.0 };
        canvas.text(
            &name,
            (name_right, middle - shift),
            Anchor::End,
            Ink::Text,
            13.0,
            group.summary,
        )?;
        if !group.note.is_empty() {
            let note = fit(&group.note, name_right - 4.0, 11.0);
            canvas.text(
                &note,
                (name_right, middle + shift),
                Anchor::End,
                Ink::Muted,
                11.0,
                false,
            )?;
        }
        let one = x.px(1.0);
        for (i, (bar, (mode, series))) in group.bars.iter().zip(&self.modes).enumerate() {
            let y0 = top + i as f64 * BAR;
            let (y0, y1, centre) = (y0 + 1.0, y0 + BAR - 1.0, y0 + BAR / 2.0);
            let ink = Ink::Series(*series);
            let label = match bar {
                Bar::Ratio {
                    point,
                    low,
                    high,
                    label,
                } => {
                    let end = x.px(*point);
                    canvas.rect(
                        (one.min(end), y0),
                        (one.max(end).max(one.min(end) + 1.0), y1),
                        ink,
                        1.0,
                    )?;
                    if high > low {
                        canvas.line(
                            &[(x.px(*low), centre), (x.px(*high), centre)],
                            Ink::Text,
                            0.75,
                            1.3,
                        )?;
                        for edge in [*low, *high] {
                            canvas.line(
                                &[(x.px(edge), centre - 3.0), (x.px(edge), centre + 3.0)],
                                Ink::Text,
                                0.75,
                                1.3,
                            )?;
                        }
                    }
                    let value = value_text(*point);
                    let start = x.px(*high).max(end).max(one) + 6.0;
                    canvas.text(
                        &value,
                        (start, centre),
                        Anchor::Start,
                        Ink::Text,
                        11.5,
                        group.summary,
                    )?;
                    let after = start + text_width(&value, 11.5) * 1.06 + 5.0;
                    canvas.text(mode, (after, centre), Anchor::Start, ink, 11.0, false)?;
                    format!("{}, {mode}\n{label}", group.name)
                }
                Bar::None { why, failed } => {
                    if *failed {
                        canvas.cross((one + 7.0, centre), Ink::Bad, 3.4)?;
                    }
                    let ink = if *failed { Ink::Bad } else { Ink::Muted };
                    canvas.text(
                        &format!("{why} ({mode})"),
                        (one + 16.0, centre),
                        Anchor::Start,
                        ink,
                        11.0,
                        false,
                    )?;
                    format!("{}, {mode}\n{why}", group.name)
                }
            };
            canvas.mark(Mark {
                x: name_right + 8.0,
                y: y0,
                series: Some(*series),
                label,
                href: group.href.clone(),
                area: Some((right - name_right - 8.0, BAR - 2.0)),
            });
        }
        Ok(())
    }
}

fn value_text(ratio: f64) -> String {
    if ratio >= 99.95 {
        format!("{ratio:.0}×")
    } else if ratio >= 9.995 {
        format!("{ratio:.1}×")
    } else {
        format!("{ratio:.2}×")
    }
}

fn tick_text(ratio: f64) -> String {
    if ratio >= 0.995 && (ratio - ratio.round()).abs() < 1e-6 {
        format!("{ratio:.0}×")
    } else {
        format!("{ratio}×")
    }
}

impl Figure for Bars {
    fn name(&self) -> &'static str {
        "Speed-up per benchmark"
    }

    fn description(&self) -> String {
        let modes: Vec<_> = self.modes.iter().map(|m| m.0.as_str()).collect();
        format!(
            "Bars of {} for {} rows on a logarithmic axis; 1 is {}; the same values are in the table below",
            modes.join(", "),
            self.groups.len(),
            self.baseline
        )
    }

    fn size(&self, width: u32) -> Size {
        let height = TOP + self.groups.len() as f64 * self.group_height() + 10.0;
        Size {
            width,
            height: height.ceil() as u32,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let (w, h) = (
            f64::from(canvas.size().width),
            f64::from(canvas.size().height),
        );
        let widest = self
            .groups
            .iter()
            .map(|g| text_width(&g.name, 13.0).max(text_width(&g.note, 11.0)))
            .fold(60.0, f64::max);
        let name_right = (widest + 12.0).min(w * 0.30);
        let modes = self
            .modes
            .iter()
            .map(|m| text_width(&m.0, 11.0))
            .fold(0.0, f64::max);
        let (left, right) = (name_right + 12.0, w - modes - 62.0);
        let (low, high) = self.range();
        let x = Scale::new(low, high, true, left, right);
        let bottom = h - 10.0;
        let mut last_end = f64::MIN;
        for tick in x.ticks(((right - left) / 90.0).max(2.0) as usize) {
            let px = x.px(tick);
            let text = tick_text(tick);
            let half = text_width(&text, 11.5) / 2.0;
            canvas.line(&[(px, TOP - 8.0), (px, bottom)], Ink::Grid, 1.0, 1.0)?;
            // What 1 means is written above its line.
            if (tick - 1.0).abs() > 1e-9 && px - half > last_end + 8.0 {
                canvas.text(
                    &text,
                    (px, TOP - 18.0),
                    Anchor::Middle,
                    Ink::Muted,
                    11.5,
                    false,
                )?;
                last_end = px + half;
            }
        }
        for (row, group) in self.groups.iter().enumerate() {
            let top = TOP + row as f64 * self.group_height() + GAP / 2.0;
            if group.summary {
                let (from, to) = (top - GAP / 2.0, top - GAP / 2.0 + self.group_height());
                canvas.rect((0.0, from), (w, to), Ink::Axis, 0.13)?;
            }
            self.draw_group(canvas, group, top, &x, (name_right, w))?;
        }
        let one = x.px(1.0);
        canvas.line(&[(one, TOP - 8.0), (one, bottom)], Ink::Text, 1.0, 1.3)?;
        let label = fit(&format!("1× = {}", self.baseline), w - 8.0, 11.5);
        let half = text_width(&label, 11.5) / 2.0;
        canvas.text(
            &label,
            (one.clamp(half + 4.0, w - half - 4.0), 9.0),
            Anchor::Middle,
            Ink::Text,
            11.5,
            false,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::svg;

    fn bars(bar: Bar) -> Bars {
        Bars {
            modes: vec![("opt".to_owned(), 2)],
            baseline: "as fast as python3.11".to_owned(),
            groups: vec![BarGroup {
                name: "int_loop".to_owned(),
                note: String::new(),
                href: None,
                summary: false,
                bars: vec![bar],
            }],
        }
    }

    #[test]
    fn a_failure_is_written_and_has_no_length() {
        let picture = svg(
            &bars(Bar::None {
                why: "crash".to_owned(),
                failed: true,
            }),
            900,
        )
        .expect("draws");
        assert!(picture.contains("crash (opt)"));
        assert!(
            !picture.contains("<rect class=\"s2\""),
            "no bar of the series"
        );
    }

    #[test]
    fn a_slowdown_grows_to_the_left() {
        let ratio = |point| Bar::Ratio {
            point,
            low: point,
            high: point,
            label: String::new(),
        };
        let left_edge = |picture: &str| -> f64 {
            let bar = picture
                .split("<rect class=\"s2\" x=\"")
                .nth(1)
                .expect("one bar");
            bar.split('"')
                .next()
                .and_then(|x| x.parse().ok())
                .expect("a number")
        };
        let slow = left_edge(&svg(&bars(ratio(0.5)), 900).expect("draws"));
        let fast = left_edge(&svg(&bars(ratio(1.5)), 900).expect("draws"));
        assert!(slow < fast);
    }

    #[test]
    fn ticks_read_as_factors() {
        assert_eq!(tick_text(0.5), "0.5×");
        assert_eq!(tick_text(10.0), "10×");
    }
}
