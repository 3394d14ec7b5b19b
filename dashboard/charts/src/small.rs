//! Small pictures: a line without axes for a table row, and a badge for a README.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Size, text_width};
use crate::ink::Ink;
use crate::scale::Scale;

/// A line over revisions without axes; gaps stay open and a failure at the end is a cross.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparkline {
    /// What it shows, for screen readers.
    pub title: String,
    /// Which series ink it uses.
    pub series: u8,
    /// Values, oldest first; all above zero; `None` is a gap or a failure.
    pub values: Vec<Option<f64>>,
    /// Whether the newest entry is a failure.
    pub failed_last: bool,
}

impl Figure for Sparkline {
    fn name(&self) -> &'static str {
        "Trend"
    }

    fn description(&self) -> String {
        self.title.clone()
    }

    fn size(&self, width: u32) -> Size {
        Size { width, height: 30 }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let (w, h) = (
            f64::from(canvas.size().width),
            f64::from(canvas.size().height),
        );
        let right = w - 8.0;
        if self.failed_last {
            canvas.cross((right, h / 2.0), Ink::Bad, 4.0)?;
        }
        let known = self.values.iter().flatten().copied().filter(|v| *v > 0.0);
        let (low, high) = known.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        if low > high {
            return Ok(());
        }
        // Less than 5 % from bottom to top is drawn as the near-level line it is.
        let middle = (low * high).sqrt();
        let half = (high / low).sqrt().max(1.025);
        let y = Scale::new(middle / half, middle * half, true, h - 5.0, 5.0);
        let step = (right - 4.0) / (self.values.len().max(2) - 1) as f64;
        let ink = Ink::Series(self.series);
        let mut piece = Vec::new();
        let mut last = None;
        for (i, value) in self.values.iter().enumerate() {
            if let Some(v) = value {
                let x = if self.values.len() == 1 {
                    right
                } else {
                    4.0 + step * i as f64
                };
                piece.push((x, y.px(*v)));
                last = Some((i, (x, y.px(*v))));
            } else {
                canvas.line(&piece, ink, 1.0, 1.6)?;
                piece.clear();
            }
        }
        canvas.line(&piece, ink, 1.0, 1.6)?;
        match last {
            Some((i, at)) if i + 1 == self.values.len() => canvas.marker(at, self.series, 2.8),
            _ => Ok(()),
        }
    }
}

/// A label and a value side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Badge {
    /// Left part.
    pub label: String,
    /// Right part.
    pub value: String,
    /// Colour of the right part.
    pub ink: Ink,
}

impl Figure for Badge {
    fn name(&self) -> &'static str {
        "Badge"
    }

    fn description(&self) -> String {
        format!("{}: {}", self.label, self.value)
    }

    /// The width follows the texts; the one asked for is not used.
    fn size(&self, _width: u32) -> Size {
        let width = text_width(&self.label, 11.5) + text_width(&self.value, 11.5) * 1.06 + 28.0;
        Size {
            width: width.ceil() as u32,
            height: 22,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let (w, h) = (
            f64::from(canvas.size().width),
            f64::from(canvas.size().height),
        );
        let split = text_width(&self.label, 11.5) + 14.0;
        canvas.rect((0.0, 0.0), (split, h), Ink::Text, 1.0)?;
        canvas.rect((split, 0.0), (w, h), self.ink, 1.0)?;
        canvas.text(
            &self.label,
            (split / 2.0, h / 2.0),
            Anchor::Middle,
            Ink::Surface,
            11.5,
            false,
        )?;
        canvas.text(
            &self.value,
            (f64::midpoint(split, w), h / 2.0),
            Anchor::Middle,
            Ink::OnColour,
            11.5,
            true,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::{png, svg};

    #[test]
    fn a_trend_keeps_its_gaps() {
        let trend = |values| Sparkline {
            title: "t".to_owned(),
            series: 2,
            values,
            failed_last: false,
        };
        let picture = |values| svg(&trend(values), 120).expect("draws");
        let lines = |text: &str| text.matches("<polyline").count();
        assert_eq!(lines(&picture(vec![Some(1.0), Some(2.0), Some(1.0)])), 1);
        assert_eq!(
            lines(&picture(vec![
                Some(1.0),
                Some(2.0),
                None,
                Some(1.0),
                Some(2.0)
            ])),
            2
        );
        assert_eq!(lines(&picture(vec![None, None])), 0);
    }

    #[test]
    fn a_badge_is_as_wide_as_its_texts() {
        let badge = |value: &str| Badge {
            label: "speed".to_owned(),
            value: value.to_owned(),
            ink: Ink::Good,
        };
        assert!(badge("1234567×").size(0).width > badge("1×").size(0).width);
        assert!(png(&badge("12×"), 0).expect("draws").len() > 100);
    }
}
