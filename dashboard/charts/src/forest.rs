//! Ratios with their intervals, one below another: what changed between two revisions.
//!
//! On a log axis through 1, so that twice as slow and twice as fast are equally far; the band around 1 is what nobody asks for,
//! however sure it is.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Mark, Size, fit};
use crate::ink::Ink;
use crate::scale::Scale;

/// One ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestRow {
    /// Name.
    pub name: String,
    /// Series ink of its mode, and the mode.
    pub mode: (String, u8),
    /// New over old.
    pub point: f64,
    /// Interval; `low == high` draws none.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// [`Ink::Bad`], [`Ink::Good`] or [`Ink::Muted`], by its verdict.
    pub ink: Ink,
    /// Text of the tooltip.
    pub label: String,
    /// Where a click leads.
    pub href: Option<String>,
}

/// Rows of ratios.
#[derive(Clone, Debug)]
pub struct Forest {
    /// From top to bottom.
    pub rows: Vec<ForestRow>,
    /// Half width of the band around 1: 0.01 is 1 %.
    pub band: f64,
    /// Text of a tick.
    pub format: fn(f64) -> String,
}

const ROW: f64 = 20.0;
const TOP: f64 = 46.0;

impl Forest {
    fn range(&self) -> (f64, f64) {
        let ends = self.rows.iter().flat_map(|row| {
            [
                row.low.max(row.point / 1.5),
                row.high.min(row.point * 1.5),
                row.point,
            ]
        });
        // Equally far to both sides: the eye compares distances from 1.
        let far = ends.fold(0.03f64, |far, end| far.max(end.ln().abs())) * 1.08;
        ((-far).exp(), far.exp())
    }
}

impl Figure for Forest {
    fn name(&self) -> &'static str {
        "Changes"
    }

    fn description(&self) -> String {
        format!(
            "Ratios of {} benchmarks and modes with their intervals, the most significant first",
            self.rows.len()
        )
    }

    fn size(&self, width: u32) -> Size {
        Size {
            width,
            height: (TOP + ROW * self.rows.len().max(1) as f64 + 12.0) as u32,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let (w, h) = (
            f64::from(canvas.size().width),
            f64::from(canvas.size().height),
        );
        let wide = w >= 600.0;
        let left = if wide { 250.0 } else { 128.0 };
        let right = w - if wide { 96.0 } else { 62.0 };
        let bottom = h - 10.0;
        let (low, high) = self.range();
        let x = Scale::new(low, high, true, left, right);
        for (text, at, anchor) in [
            ("← faster", left, Anchor::Start),
            ("slower →", right, Anchor::End),
        ] {
            canvas.text(text, (at, 10.0), anchor, Ink::Muted, 11.5, false)?;
        }
        let band = ((1.0 - self.band).max(low), (1.0 + self.band).min(high));
        canvas.rect(
            (x.px(band.0), TOP - 8.0),
            (x.px(band.1), bottom),
            Ink::Grid,
            0.8,
        )?;
        for tick in x.ticks(if wide { 8 } else { 4 }) {
            let px = x.px(tick);
            canvas.line(&[(px, TOP - 8.0), (px, bottom)], Ink::Grid, 1.0, 1.0)?;
            canvas.text(
                &(self.format)(tick),
                (px, TOP - 18.0),
                Anchor::Middle,
                Ink::Muted,
                11.5,
                false,
            )?;
        }
        let one = x.px(1.0);
        canvas.line(&[(one, TOP - 8.0), (one, bottom)], Ink::Axis, 1.0, 1.4)?;
        for (i, row) in self.rows.iter().enumerate() {
            let y = TOP + ROW * i as f64 + ROW / 2.0;
            let (mode, series) = &row.mode;
            let mode_text = fit(mode, if wide { 70.0 } else { 44.0 }, 11.0);
            let name_right = if wide { left - 84.0 } else { left - 50.0 };
            let name = fit(&row.name, name_right - 4.0, 12.0);
            let changed = row.ink != Ink::Muted;
            canvas.text(
                &name,
                (name_right, y),
                Anchor::End,
                Ink::Text,
                12.0,
                changed,
            )?;
            let mode_at = (name_right + 8.0, y);
            canvas.text(
                &mode_text,
                mode_at,
                Anchor::Start,
                Ink::Series(*series),
                11.0,
                false,
            )?;
            if row.high > row.low {
                let inside = |v: f64| x.px(v.clamp(low, high));
                let ends = [(inside(row.low), y), (inside(row.high), y)];
                canvas.line(&ends, row.ink, 1.0, if changed { 2.2 } else { 1.4 })?;
            }
            let px = x.px(row.point.clamp(low, high));
            let r = if changed { 4.0 } else { 3.0 };
            canvas.rect((px - r, y - r), (px + r, y + r), row.ink, 1.0)?;
            canvas.text(
                &(self.format)(row.point),
                (right + 8.0, y),
                Anchor::Start,
                if changed { row.ink } else { Ink::Muted },
                11.5,
                changed,
            )?;
            canvas.mark(Mark {
                x: left,
                y: y - ROW / 2.0,
                series: Some(*series),
                label: format!("{}, {mode}\n{}", row.name, row.label),
                href: row.href.clone(),
                area: Some((right - left, ROW)),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::svg;

    fn figure(rows: Vec<ForestRow>) -> String {
        let forest = Forest {
            rows,
            band: 0.01,
            format: |v| format!("{v:.2}"),
        };
        svg(&forest, 900).expect("draws")
    }

    #[test]
    fn a_change_is_drawn_in_the_ink_of_its_verdict() {
        let row = |ink| ForestRow {
            name: "<calls>".to_owned(),
            mode: ("opt".to_owned(), 2),
            point: 1.2,
            low: 1.1,
            high: 1.3,
            ink,
            label: "slower".to_owned(),
            href: None,
        };
        let (bad, calm) = (figure(vec![row(Ink::Bad)]), figure(vec![row(Ink::Muted)]));
        assert!(bad.contains("var(--bad"), "{bad}");
        assert!(!calm.contains("var(--bad"), "{calm}");
        assert!(!bad.contains("<calls>"), "names are escaped");
    }

    #[test]
    fn no_rows_and_huge_ratios_are_drawn() {
        figure(Vec::new());
        figure(vec![ForestRow {
            name: "x".to_owned(),
            mode: ("off".to_owned(), 0),
            point: 40.0,
            low: 0.001,
            high: 1e9,
            ink: Ink::Bad,
            label: String::new(),
            href: None,
        }]);
    }
}
