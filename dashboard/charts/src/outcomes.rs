//! Stacked bars of test outcomes, one row per mode.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Mark, Size, text_width};
use crate::ink::Ink;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeRow {
    /// Name, e.g. a mode.
    pub name: String,
    /// Text at the right end, e.g. the score.
    pub note: String,
    /// Cases per outcome, as named in [`OutcomeBars::outcomes`].
    pub counts: Vec<u32>,
}

/// Stacked horizontal bars.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeBars {
    /// Names of the outcomes, in the order of [`Ink::Outcome`].
    pub outcomes: Vec<String>,
    /// Rows from top to bottom.
    pub rows: Vec<OutcomeRow>,
}

const ROW: f64 = 34.0;

impl Figure for OutcomeBars {
    fn name(&self) -> &'static str {
        "Test outcomes"
    }

    fn description(&self) -> String {
        let names: Vec<_> = self.rows.iter().map(|r| r.name.as_str()).collect();
        format!(
            "Number of test cases by outcome for {}; the same counts are in the table below",
            names.join(", ")
        )
    }

    fn size(&self, width: u32) -> Size {
        Size {
            width,
            height: (self.rows.len() as f64 * ROW + 12.0) as u32,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let w = f64::from(canvas.size().width);
        let names = self
            .rows
            .iter()
            .map(|r| text_width(&r.name, 13.0))
            .fold(40.0, f64::max)
            + 12.0;
        let notes = self
            .rows
            .iter()
            .map(|r| text_width(&r.note, 13.0) * 1.06)
            .fold(0.0, f64::max)
            + 14.0;
        let (left, right) = (names, w - notes);
        let most = self
            .rows
            .iter()
            .map(|r| r.counts.iter().sum::<u32>())
            .max()
            .unwrap_or(0)
            .max(1);
        let per_case = (right - left) / f64::from(most);
        for (i, row) in self.rows.iter().enumerate() {
            let (top, bottom) = (i as f64 * ROW + 8.0, i as f64 * ROW + 32.0);
            let centre = f64::midpoint(top, bottom);
            canvas.text(
                &row.name,
                (left - 12.0, centre),
                Anchor::End,
                Ink::Text,
                13.0,
                false,
            )?;
            let mut x = left;
            for (n, (&count, outcome)) in row.counts.iter().zip(&self.outcomes).enumerate() {
                if count == 0 {
                    continue;
                }
                let width = (f64::from(count) * per_case).max(1.0);
                let ink = Ink::Outcome(u8::try_from(n).unwrap_or(u8::MAX));
                canvas.rect((x, top), (x + width, bottom), ink, 1.0)?;
                let text = count.to_string();
                if width > text_width(&text, 11.5) + 12.0 {
                    canvas.text(
                        &text,
                        (x + width / 2.0, centre),
                        Anchor::Middle,
                        Ink::OnColour,
                        11.5,
                        true,
                    )?;
                }
                canvas.mark(Mark {
                    x,
                    y: top,
                    series: None,
                    label: format!("{}: {count} {outcome}", row.name),
                    href: None,
                    area: Some((width.max(4.0), bottom - top)),
                });
                x += width;
            }
            canvas.text(
                &row.note,
                (w - 2.0, centre),
                Anchor::End,
                Ink::Text,
                13.0,
                true,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::svg;

    #[test]
    fn an_outcome_without_cases_has_no_area() {
        let figure = OutcomeBars {
            outcomes: vec!["pass".to_owned(), "fail".to_owned(), "crash".to_owned()],
            rows: vec![OutcomeRow {
                name: "opt".to_owned(),
                note: "90 %".to_owned(),
                counts: vec![90, 0, 1],
            }],
        };
        let picture = svg(&figure, 700).expect("draws");
        assert!(picture.contains("90 pass") && picture.contains("1 crash"));
        assert!(!picture.contains("0 fail"));
    }
}
