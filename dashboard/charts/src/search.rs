//! A search over commits: what each try gave, and below it how probable it is that a commit is to blame.

use crate::canvas::{Anchor, Canvas, ChartError, Figure, Mark, Size};
use crate::ink::Ink;
use crate::scale::Scale;

/// What one try gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Try {
    /// A measured value, above zero.
    Value(f64),
    /// All was well.
    Good,
    /// It failed.
    Bad,
    /// It could not be tried.
    Untried,
}

/// A commit on the line of the search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchCommit {
    /// Place on the line; the good end is 0.
    pub place: f64,
    /// First line of its tooltip.
    pub title: String,
    /// Where a click leads.
    pub href: Option<String>,
    /// Its tries, in order.
    pub tries: Vec<Try>,
    /// Probability that it is to blame.
    pub probability: f64,
    /// Whether it is the answer.
    pub blamed: bool,
}

/// The figure of one search.
#[derive(Clone, Debug)]
pub struct SearchChart {
    /// Commits that were tried or suspected, from good to bad.
    pub commits: Vec<SearchCommit>,
    /// Place of the bad end.
    pub span: f64,
    /// What the values are, e.g. `time of an iteration`; unused without values.
    pub values: String,
    /// Text of a value.
    pub format: fn(f64) -> String,
}

const LEFT: f64 = 74.0;
const TOP: f64 = 30.0;

impl SearchChart {
    fn range(&self) -> Option<(f64, f64)> {
        let values = self
            .commits
            .iter()
            .flat_map(|commit| &commit.tries)
            .filter_map(|seen| match seen {
                Try::Value(value) => Some(*value),
                _ => None,
            });
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        (low <= high && low > 0.0).then_some((low * 0.99, high * 1.01))
    }

    /// The upper half: tries.
    fn draw_tries(
        &self,
        canvas: &mut Canvas<'_>,
        x: &Scale,
        (right, bottom): (f64, f64),
    ) -> Result<(), ChartError> {
        let caption = if self.range().is_some() {
            &self.values
        } else {
            "what was seen"
        };
        canvas.text(
            caption,
            (14.0, 12.0),
            Anchor::Start,
            Ink::Muted,
            12.0,
            false,
        )?;
        let values = self.range();
        let y = values.map(|(low, high)| Scale::new(low, high, false, bottom - 22.0, TOP));
        if let Some(y) = &y {
            for tick in y.ticks(4) {
                let py = y.px(tick);
                canvas.line(&[(LEFT, py), (right, py)], Ink::Grid, 1.0, 1.0)?;
                let text = (self.format)(tick);
                canvas.text(
                    &text,
                    (LEFT - 8.0, py),
                    Anchor::End,
                    Ink::Muted,
                    11.5,
                    false,
                )?;
            }
        } else {
            for (word, py) in [("good", TOP + 14.0), ("bad", bottom - 40.0)] {
                canvas.line(&[(LEFT, py), (right, py)], Ink::Grid, 1.0, 1.0)?;
                canvas.text(word, (LEFT - 8.0, py), Anchor::End, Ink::Muted, 11.5, false)?;
            }
        }
        for commit in &self.commits {
            let px = x.px(commit.place);
            for (n, seen) in commit.tries.iter().enumerate() {
                // Repeats of a word would hide each other.
                let aside = px + (n as f64 - (commit.tries.len() - 1) as f64 / 2.0) * 4.0;
                match (seen, &y) {
                    (Try::Value(value), Some(y)) => {
                        canvas.marker((px, y.px(*value)), 2, 3.2)?;
                    }
                    (Try::Good, _) => {
                        let at = (aside, TOP + 14.0);
                        canvas.rect(
                            (at.0 - 3.0, at.1 - 3.0),
                            (at.0 + 3.0, at.1 + 3.0),
                            Ink::Good,
                            1.0,
                        )?;
                    }
                    (Try::Bad, _) => canvas.cross((aside, bottom - 40.0), Ink::Bad, 3.6)?,
                    (Try::Untried | Try::Value(_), _) => {
                        canvas.text(
                            "?",
                            (aside, bottom - 9.0),
                            Anchor::Middle,
                            Ink::Muted,
                            12.0,
                            true,
                        )?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Figure for SearchChart {
    fn name(&self) -> &'static str {
        "Search"
    }

    fn description(&self) -> String {
        let tries: usize = self.commits.iter().map(|commit| commit.tries.len()).sum();
        format!(
            "{tries} tries over {} commits, and how probable it is that each is to blame",
            self.commits.len()
        )
    }

    fn size(&self, width: u32) -> Size {
        Size { width, height: 380 }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
        let (w, h) = (
            f64::from(canvas.size().width),
            f64::from(canvas.size().height),
        );
        let right = w - 22.0;
        let (middle, bottom) = (h * 0.6, h - 44.0);
        let x = Scale::new(0.0, self.span.max(1.0), false, LEFT + 10.0, right - 10.0);
        if let Some(blamed) = self.commits.iter().find(|commit| commit.blamed) {
            let px = x.px(blamed.place);
            canvas.dashed(&[(px, TOP), (px, bottom)], Ink::Bad, 1.4, 4.0)?;
        }
        self.draw_tries(canvas, &x, (right, middle))?;
        let y = Scale::new(0.0, 1.0, false, bottom, middle + 26.0);
        let caption = "probability that it is to blame";
        canvas.text(
            caption,
            (14.0, middle + 10.0),
            Anchor::Start,
            Ink::Muted,
            12.0,
            false,
        )?;
        for tick in [0.0, 0.5, 1.0] {
            let py = y.px(tick);
            canvas.line(&[(LEFT, py), (right, py)], Ink::Grid, 1.0, 1.0)?;
            canvas.text(
                &format!("{tick}"),
                (LEFT - 8.0, py),
                Anchor::End,
                Ink::Muted,
                11.5,
                false,
            )?;
        }
        canvas.line(&[(LEFT, bottom), (right, bottom)], Ink::Axis, 1.0, 1.0)?;
        let ticks = x.ticks(if w >= 600.0 { 12 } else { 6 });
        for tick in ticks.into_iter().filter(|tick| tick.fract().abs() < 1e-9) {
            let px = x.px(tick);
            canvas.line(&[(px, bottom), (px, bottom + 4.0)], Ink::Axis, 1.0, 1.0)?;
            let text = format!("{tick:.0}");
            canvas.text(
                &text,
                (px, bottom + 14.0),
                Anchor::Middle,
                Ink::Muted,
                11.5,
                false,
            )?;
        }
        let caption = "commits after the good one";
        let at = (f64::midpoint(LEFT, right), h - 10.0);
        canvas.text(caption, at, Anchor::Middle, Ink::Muted, 12.0, false)?;
        let half = ((right - LEFT) / self.span.max(1.0) * 0.35).clamp(2.0, 9.0);
        for commit in &self.commits {
            let px = x.px(commit.place);
            if commit.probability > 0.0 {
                let ink = if commit.blamed {
                    Ink::Bad
                } else {
                    Ink::Series(1)
                };
                canvas.rect(
                    (px - half, y.px(commit.probability)),
                    (px + half, bottom),
                    ink,
                    1.0,
                )?;
            }
            canvas.mark(Mark {
                x: px - half.max(5.0),
                y: TOP,
                series: None,
                label: commit.label(self.format),
                href: commit.href.clone(),
                area: Some((half.max(5.0) * 2.0, bottom - TOP)),
            });
        }
        Ok(())
    }
}

impl SearchCommit {
    fn label(&self, format: fn(f64) -> String) -> String {
        let tries: Vec<String> = self
            .tries
            .iter()
            .map(|seen| match seen {
                Try::Value(value) => format(*value),
                Try::Good => "good".to_owned(),
                Try::Bad => "bad".to_owned(),
                Try::Untried => "could not be tried".to_owned(),
            })
            .collect();
        let tries = if tries.is_empty() {
            "not tried".to_owned()
        } else {
            tries.join(", ")
        };
        format!(
            "{}\n{tries}\nprobability {:.3}",
            self.title, self.probability
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::svg;

    fn commit(place: f64, tries: Vec<Try>, probability: f64) -> SearchCommit {
        SearchCommit {
            place,
            title: format!("commit {place}"),
            href: None,
            tries,
            probability,
            blamed: probability > 0.9,
        }
    }

    fn figure(commits: Vec<SearchCommit>) -> String {
        let chart = SearchChart {
            commits,
            span: 8.0,
            values: "time".to_owned(),
            format: |v| format!("{v} ms"),
        };
        svg(&chart, 900).expect("draws")
    }

    #[test]
    fn tries_and_the_answer_are_said() {
        let text = figure(vec![
            commit(0.0, vec![Try::Value(5.0), Try::Value(5.5)], 0.0),
            commit(5.0, vec![Try::Value(6.0)], 0.95),
            commit(6.0, vec![Try::Untried], 0.05),
        ]);
        for part in [
            "5 ms, 5.5 ms",
            "could not be tried",
            "probability 0.950",
            "var(--bad",
        ] {
            assert!(text.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn words_need_no_scale_of_values() {
        let text = figure(vec![
            commit(0.0, vec![Try::Good], 0.0),
            commit(8.0, vec![Try::Bad], 0.5),
        ]);
        assert!(text.contains("what was seen"), "{text}");
        figure(Vec::new());
    }
}
