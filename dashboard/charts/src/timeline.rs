//! Values over revisions: lines with intervals, gaps, failures and change points.
//!
//! Revisions stand at equal distances in first-parent order, never by date. A revision without a value
//! breaks the line; a failure stands as a cross in a strip below the plot, where no value can be read.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Mark, Size, fit, text_width};
use crate::ink::Ink;
use crate::scale::Scale;

/// One revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Short text for the axis, e.g. a date.
    pub label: String,
    /// First line of the tooltip, e.g. revision and date.
    pub title: String,
    /// Where a click leads.
    pub href: Option<String>,
}

/// What a series has at one revision.
#[derive(Clone, Debug, PartialEq)]
pub enum Spot {
    /// A value with its interval (`low == high` draws none).
    Value {
        /// The value.
        point: f64,
        /// Lower end of the interval.
        low: f64,
        /// Upper end of the interval.
        high: f64,
        /// Text of the tooltip.
        label: String,
    },
    /// A failure: drawn as one, at no height.
    Failure {
        /// Text of the tooltip.
        label: String,
    },
}

/// One line of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Name, written at its end.
    pub name: String,
    /// Which series ink it uses.
    pub series: u8,
    /// Length of its dashes in pixels, 0 for a solid line.
    pub dash: f64,
    /// One entry per column; `None` where it was not measured.
    pub spots: Vec<Option<Spot>>,
}

/// A place where a series shifts.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeMark {
    /// Index of the first column on the new level.
    pub column: usize,
    /// Series ink of the line that shifts.
    pub series: u8,
    /// Whether it is a change for the worse.
    pub worse: bool,
    /// Whether it still waits for confirmation; drawn hollow.
    pub provisional: bool,
    /// Text of the tooltip.
    pub label: String,
}

/// The vertical axis.
#[derive(Clone, Debug)]
pub struct YAxis {
    /// What is shown, with its unit.
    pub title: String,
    /// Text of a tick.
    pub format: fn(f64) -> String,
    /// Logarithmic, for values that differ by factors.
    pub log: bool,
    /// A level to draw across, e.g. 1 for "as fast as the baseline".
    pub reference: Option<f64>,
    /// Bounds that may not be passed, e.g. 0 and 1 for a share.
    pub bounds: Option<(f64, f64)>,
}

/// Values over revisions.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Revisions, oldest first.
    pub columns: Vec<Column>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Change points.
    pub changes: Vec<ChangeMark>,
    /// Vertical axis.
    pub y: YAxis,
    /// Whether each revision answers to the pointer; costs some 300 bytes a revision.
    pub marked: bool,
}

struct Layout {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    strip: Vec<u8>,
}

const STRIP_ROW: f64 = 13.0;
/// With more columns than these (narrow, wide) intervals are drawn as a band and points have no marker.
const FEW_COLUMNS: usize = 16;
const MANY_COLUMNS: usize = 45;

impl Timeline {
    fn values(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines
            .iter()
            .flat_map(|line| line.spots.iter().flatten())
            .filter_map(|spot| match spot {
                Spot::Value { low, high, .. } => Some((*low, *high)),
                Spot::Failure { .. } => None,
            })
    }

    fn range(&self) -> Option<(f64, f64)> {
        let (mut low, mut high) = self
            .values()
            .fold((f64::MAX, f64::MIN), |(a, b), (l, h)| (a.min(l), b.max(h)));
        if low > high {
            return None;
        }
        if let Some(reference) = self.y.reference {
            (low, high) = (low.min(reference), high.max(reference));
        }
        if self.y.log {
            let pad = (high / low).ln().max(0.05) * 0.08;
            (low, high) = (low * (-pad).exp(), high * pad.exp());
        } else {
            let pad = ((high - low) * 0.08).max(high.abs() * 0.005);
            (low, high) = (low - pad, high + pad);
        }
        if let Some((floor, ceiling)) = self.y.bounds {
            (low, high) = (low.max(floor), high.min(ceiling));
        }
        Some((low, high))
    }

    fn layout(&self, size: Size) -> Layout {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        let strip: Vec<u8> = self
            .lines
            .iter()
            .filter(|line| {
                line.spots
                    .iter()
                    .flatten()
                    .any(|s| matches!(s, Spot::Failure { .. }))
            })
            .map(|line| line.series)
            .collect();
        let names = self
            .lines
            .iter()
            .map(|l| text_width(&l.name, 12.0))
            .fold(0.0, f64::max);
        let right = if size.width >= 600 {
            (names + 22.0).min(150.0)
        } else {
            14.0
        };
        let below =
            28.0 + strip.len() as f64 * STRIP_ROW + if strip.is_empty() { 0.0 } else { 8.0 };
        Layout {
            left: 66.0,
            right: w - right,
            top: 30.0,
            bottom: h - below,
            strip,
        }
    }

    fn x(&self, layout: &Layout, column: usize) -> f64 {
        let n = self.columns.len().max(1) as f64;
        let width = layout.right - layout.left;
        // Few columns stand away from the edges; many use the whole width.
        let inset = (width / n / 2.0).min(28.0);
        let step = if n > 1.0 {
            (width - 2.0 * inset) / (n - 1.0)
        } else {
            0.0
        };
        if n > 1.0 {
            layout.left + inset + step * column as f64
        } else {
            layout.left + width / 2.0
        }
    }

    fn draw_axes(
        &self,
        canvas: &Canvas<'_>,
        layout: &Layout,
        y: Option<&Scale>,
    ) -> Result<(), ChartError> {
        let title = fit(&self.y.title, f64::from(canvas.size().width) - 24.0, 12.0);
        canvas.text(
            &title,
            (layout.left - 54.0, 12.0),
            Anchor::Start,
            Ink::Muted,
            12.0,
            false,
        )?;
        if let Some(y) = y {
            let count = ((layout.bottom - layout.top) / 52.0).max(2.0) as usize;
            for tick in y.ticks(count) {
                let py = y.px(tick);
                canvas.line(
                    &[(layout.left, py), (layout.right, py)],
                    Ink::Grid,
                    1.0,
                    1.0,
                )?;
                canvas.text(
                    &(self.y.format)(tick),
                    (layout.left - 8.0, py),
                    Anchor::End,
                    Ink::Muted,
                    11.5,
                    false,
                )?;
            }
            if let Some(reference) = self.y.reference {
                let py = y.px(reference);
                canvas.line(
                    &[(layout.left, py), (layout.right, py)],
                    Ink::Axis,
                    1.0,
                    1.5,
                )?;
            }
        }
        canvas.line(
            &[(layout.left, layout.bottom), (layout.right, layout.bottom)],
            Ink::Axis,
            1.0,
            1.0,
        )?;
        let n = self.columns.len();
        let width = self
            .columns
            .iter()
            .map(|c| text_width(&c.label, 11.5))
            .fold(30.0, f64::max)
            + 18.0;
        let fitting = ((layout.right - layout.left) / width).floor().max(1.0) as usize;
        let stride = n.div_ceil(fitting).max(1);
        let base = layout.bottom
            + layout.strip.len() as f64 * STRIP_ROW
            + if layout.strip.is_empty() { 0.0 } else { 8.0 };
        let mut last = "";
        for (column, c) in self.columns.iter().enumerate() {
            // Counted from the newest, which therefore always has its label.
            if (n - 1 - column).is_multiple_of(stride) && c.label != last {
                let x = self.x(layout, column);
                canvas.line(
                    &[(x, layout.bottom), (x, layout.bottom + 4.0)],
                    Ink::Axis,
                    1.0,
                    1.0,
                )?;
                canvas.text(
                    &c.label,
                    (x, base + 16.0),
                    Anchor::Middle,
                    Ink::Muted,
                    11.5,
                    false,
                )?;
                last = &c.label;
            }
        }
        if !layout.strip.is_empty() {
            let middle = layout.bottom + 5.0 + layout.strip.len() as f64 * STRIP_ROW / 2.0;
            canvas.text(
                "failed",
                (layout.left - 8.0, middle),
                Anchor::End,
                Ink::Bad,
                11.5,
                false,
            )?;
        }
        Ok(())
    }

    fn draw_line(
        &self,
        canvas: &mut Canvas<'_>,
        layout: &Layout,
        y: &Scale,
        line: &Line,
    ) -> Result<(), ChartError> {
        let ink = Ink::Series(line.series);
        let many = self.columns.len()
            > if canvas.size().width < 600 {
                FEW_COLUMNS
            } else {
                MANY_COLUMNS
            };
        for piece in pieces(&line.spots) {
            let at = |&(column, point, ..): &(usize, f64, f64, f64)| {
                (self.x(layout, column), y.px(point))
            };
            if many && piece.len() > 1 {
                let upper = piece
                    .iter()
                    .map(|&(c, _, _, high)| (self.x(layout, c), y.px(high)));
                let lower = piece
                    .iter()
                    .rev()
                    .map(|&(c, _, low, _)| (self.x(layout, c), y.px(low)));
                canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), ink, 0.16)?;
            } else {
                for &(column, _, low, high) in piece.iter().filter(|p| p.3 > p.2) {
                    let x = self.x(layout, column);
                    canvas.line(&[(x, y.px(low)), (x, y.px(high))], ink, 0.7, 1.5)?;
                    for end in [low, high] {
                        canvas.line(
                            &[(x - 3.5, y.px(end)), (x + 3.5, y.px(end))],
                            ink,
                            0.7,
                            1.5,
                        )?;
                    }
                }
            }
            canvas.dashed(
                &piece.iter().map(at).collect::<Vec<_>>(),
                ink,
                2.0,
                line.dash,
            )?;
            if !many || piece.len() == 1 {
                for spot in &piece {
                    canvas.marker(at(spot), line.series, 3.6)?;
                }
            }
        }
        let row = layout
            .strip
            .iter()
            .position(|&s| s == line.series)
            .unwrap_or(0) as f64;
        let strip_y = layout.bottom + 11.0 + row * STRIP_ROW;
        for (column, spot) in line.spots.iter().enumerate() {
            if matches!(spot, Some(Spot::Failure { .. })) {
                canvas.cross((self.x(layout, column), strip_y), ink, 3.6)?;
            }
        }
        Ok(())
    }

    /// One hit area per revision over the whole height, which tells what every line has there.
    fn mark_columns(&self, canvas: &mut Canvas<'_>, layout: &Layout) {
        if !self.marked {
            return;
        }
        let step = match self.column_step(layout) {
            0.0 => layout.right - layout.left,
            step => step,
        };
        let height = layout.bottom - layout.top + layout.strip.len() as f64 * STRIP_ROW;
        for (at, column) in self.columns.iter().enumerate() {
            let mut label = column.title.clone();
            for line in &self.lines {
                if let Some(Some(Spot::Value { label: l, .. } | Spot::Failure { label: l })) =
                    line.spots.get(at)
                {
                    label.push_str(&format!("\n{}: {l}", line.name));
                }
            }
            canvas.mark(Mark {
                x: self.x(layout, at) - step / 2.0,
                y: layout.top,
                series: None,
                label,
                href: column.href.clone(),
                area: Some((step, height)),
            });
        }
    }

    /// The newest `columns` revisions of this figure.
    #[must_use]
    pub fn newest(&self, columns: usize) -> Self {
        let skip = self.columns.len().saturating_sub(columns);
        let lines = self.lines.iter().map(|line| Line {
            spots: line.spots.iter().skip(skip).cloned().collect(),
            ..line.clone()
        });
        Self {
            columns: self.columns.iter().skip(skip).cloned().collect(),
            lines: lines
                .filter(|line| line.spots.iter().any(Option::is_some))
                .collect(),
            changes: self
                .changes
                .iter()
                .filter(|change| change.column >= skip)
                .map(|change| ChangeMark {
                    column: change.column - skip,
                    ..change.clone()
                })
                .collect(),
            y: self.y.clone(),
            marked: self.marked,
        }
    }

    fn draw_changes(
        &self,
        canvas: &mut Canvas<'_>,
        layout: &Layout,
        y: &Scale,
    ) -> Result<(), ChartError> {
        for change in &self.changes {
            let x = self.x(layout, change.column) - self.column_step(layout) / 2.0;
            let ink = if change.worse { Ink::Bad } else { Ink::Good };
            canvas.dashed(&[(x, layout.top), (x, layout.bottom)], ink, 1.2, 4.0)?;
            let level = self
                .lines
                .iter()
                .find(|l| l.series == change.series)
                .and_then(|l| l.spots.get(change.column));
            let py = match level {
                Some(Some(Spot::Value { point, .. })) => y.px(*point),
                _ => layout.top,
            };
            let tip = if change.worse { -6.0 } else { 6.0 };
            let triangle = [
                (x, py + tip),
                (x + 6.0, py - tip),
                (x - 6.0, py - tip),
                (x, py + tip),
            ];
            canvas.polygon(
                &triangle,
                if change.provisional {
                    Ink::Surface
                } else {
                    ink
                },
                1.0,
            )?;
            canvas.line(&triangle, ink, 1.0, 1.6)?;
            let series = Some(change.series);
            canvas.mark(Mark {
                x,
                y: py,
                series,
                label: change.label.clone(),
                href: None,
                area: None,
            });
        }
        Ok(())
    }

    fn column_step(&self, layout: &Layout) -> f64 {
        if self.columns.len() > 1 {
            self.x(layout, 1) - self.x(layout, 0)
        } else {
            0.0
        }
    }

    /// Names at the right ends of the lines, pushed apart where they would touch.
    fn draw_names(
        &self,
        canvas: &Canvas<'_>,
        layout: &Layout,
        y: &Scale,
    ) -> Result<(), ChartError> {
        if f64::from(canvas.size().width) - layout.right < 20.0 {
            return Ok(());
        }
        let mut names: Vec<(f64, &Line)> = self
            .lines
            .iter()
            .filter_map(|line| {
                let last = line.spots.iter().rev().flatten().find_map(|s| match s {
                    Spot::Value { point, .. } => Some(*point),
                    Spot::Failure { .. } => None,
                })?;
                Some((y.px(last), line))
            })
            .collect();
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        for i in 1..names.len() {
            names[i].0 = names[i].0.max(names[i - 1].0 + 14.0);
        }
        let room = f64::from(canvas.size().width) - layout.right - 12.0;
        for (py, line) in names {
            let name = fit(&line.name, room, 12.0);
            canvas.text(
                &name,
                (layout.right + 8.0, py),
                Anchor::Start,
                Ink::Series(line.series),
                12.0,
                true,
            )?;
        }
        Ok(())
    }
}

type Piece = Vec<(usize, f64, f64, f64)>;

/// Runs of neighbouring values as (column, point, low, high); gaps and failures end a run.
fn pieces(spots: &[Option<Spot>]) -> Vec<Piece> {
    let mut runs: Vec<Piece> = vec![Vec::new()];
    for (column, spot) in spots.iter().enumerate() {
        if let Some(Spot::Value {
            point, low, high, ..
        }) = spot
        {
            if let Some(run) = runs.last_mut() {
                run.push((column, *point, *low, *high));
            }
        } else {
            runs.push(Vec::new());
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

impl Figure for Timeline {
    fn name(&self) -> &'static str {
        "Values over revisions"
    }

    fn description(&self) -> String {
        let names: Vec<_> = self.lines.iter().map(|l| l.name.as_str()).collect();
        format!(
            "{} of {} over {} revisions, oldest on the left; the same values are in the table below",
            self.y.title,
            names.join(", "),
            self.columns.len()
        )
    }

    fn size(&self, width: u32) -> Size {
        Size {
            width,
            height: if width >= 600 { 340 } else { 300 },
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let layout = self.layout(canvas.size());
        let y = self
            .range()
            .map(|(low, high)| Scale::new(low, high, self.y.log, layout.bottom, layout.top));
        self.draw_axes(canvas, &layout, y.as_ref())?;
        // Without a single value there are only failures; any scale does, as none is drawn.
        let y = y.unwrap_or_else(|| Scale::new(0.0, 1.0, false, layout.bottom, layout.top));
        for line in &self.lines {
            self.draw_line(canvas, &layout, &y, line)?;
        }
        self.mark_columns(canvas, &layout);
        self.draw_changes(canvas, &layout, &y)?;
        self.draw_names(canvas, &layout, &y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::svg;

    fn value(point: f64) -> Option<Spot> {
        Some(Spot::Value {
            point,
            low: point * 0.99,
            high: point * 1.01,
            label: format!("v{point}"),
        })
    }

    fn figure(spots: Vec<Option<Spot>>) -> Timeline {
        let columns = (0..spots.len())
            .map(|i| Column {
                label: format!("c{i}"),
                title: format!("c{i}"),
                href: None,
            })
            .collect();
        Timeline {
            columns,
            lines: vec![Line {
                name: "opt".to_owned(),
                series: 2,
                dash: 0.0,
                spots,
            }],
            changes: Vec::new(),
            y: YAxis {
                title: "time".to_owned(),
                format: |v| format!("{v:.2}"),
                log: true,
                reference: None,
                bounds: None,
            },
            marked: true,
        }
    }

    #[test]
    fn gaps_and_failures_break_the_line() {
        let failure = Some(Spot::Failure {
            label: "crash".to_owned(),
        });
        let runs = pieces(&[
            value(1.0),
            value(1.1),
            None,
            value(1.0),
            failure,
            value(2.0),
            value(2.0),
        ]);
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 2]);
    }

    #[test]
    fn only_failures_draw_no_scale() {
        let failure = || {
            Some(Spot::Failure {
                label: "timeout".to_owned(),
            })
        };
        let picture = svg(&figure(vec![failure(), failure()]), 900).expect("draws");
        assert!(picture.contains("timeout") && picture.contains("failed"));
        assert!(
            !picture.contains("0.00") && !picture.contains("1.00"),
            "no tick may be read as a value"
        );
    }

    #[test]
    fn empty_and_single_columns_draw() {
        svg(&figure(Vec::new()), 900).expect("draws nothing");
        svg(&figure(vec![value(1.0)]), 380).expect("draws one");
    }

    #[test]
    fn a_window_keeps_the_newest_and_moves_its_changes() {
        let mut all = figure((0..10).map(|i| value(f64::from(i) + 1.0)).collect());
        for column in [2, 8] {
            let label = String::new();
            all.changes.push(ChangeMark {
                column,
                series: 2,
                worse: true,
                provisional: false,
                label,
            });
        }
        let newest = all.newest(4);
        assert_eq!(newest.columns[0].label, "c6");
        assert_eq!(newest.lines[0].spots.len(), 4);
        assert_eq!(
            newest.changes.iter().map(|c| c.column).collect::<Vec<_>>(),
            [2]
        );
    }

    #[test]
    fn many_columns_draw_a_band_and_no_markers() {
        let picture = svg(&figure((0..700).map(|_| value(1.0)).collect()), 900).expect("draws");
        assert!(picture.contains("<polygon"));
        assert!(
            picture.matches("<circle class=\"s2\"").count() == 0,
            "one circle per column would be too much ink"
        );
    }
}
