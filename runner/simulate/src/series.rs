//! Change points in made-up series.

use crate::{Effort, Figure, Target, Unit, share};
use stats::rng::Rng;
use stats::rule::judge;
use stats::{changes, sample};
use std::collections::BTreeSet;

/// Standard deviation of a point, and of the processes of a confirmation run.
const POINT_SD: f64 = 0.01;
const PROCESS_SD: f64 = 0.02;

/// All figures of change points.
#[must_use]
pub fn figures(effort: Effort) -> Vec<Figure> {
    let Effort { seed, trials } = effort;
    let figure =
        |what: &str, value, target| Figure::new("changes", what, value, target, trials, seed);
    let exact = (0..trials)
        .filter(|trial| {
            let mut rng = Rng::part(seed, *trial as u64);
            indices(&step(1.05, 10, 10, &mut rng)) == [10]
        })
        .count();
    let quiet = (0..trials).map(|trial| white_noise(&mut Rng::part(seed ^ 1, trial as u64)));
    let (mut provisional, mut confirmed) = (0, 0);
    for (found, believed) in quiet {
        provisional += usize::from(found);
        confirmed += usize::from(believed);
    }
    let mut out = vec![
        figure(
            "exact index of a 5 % step, 1 % noise, 10 points a side",
            share(exact, trials),
            Target::AtLeast(0.9),
        ),
        figure(
            "60-point white-noise series with a provisional change on some night",
            share(provisional, trials),
            Target::None,
        ),
        figure(
            "60-point white-noise series with a confirmed alert",
            share(confirmed, trials),
            Target::AtMost(0.01),
        ),
    ];
    for size in [1.03, 1.05, 1.1] {
        let nights: Vec<f64> = (0..trials.div_ceil(4))
            .filter_map(|trial| nights_until_found(size, &mut Rng::part(seed ^ 2, trial as u64)))
            .map(|nights| nights as f64)
            .collect();
        let what = format!(
            "median nights until a {:.0} % step is provisional",
            100.0 * (size - 1.0)
        );
        out.push(figure(&what, sample::median(&nights), Target::None).in_unit(Unit::Nights));
    }
    out
}

fn step(ratio: f64, before: usize, after: usize, rng: &mut Rng) -> Vec<f64> {
    (0..before + after)
        .map(|i| if i < before { 0.0 } else { f64::ln(ratio) } + POINT_SD * rng.normal())
        .collect()
}

fn indices(series: &[f64]) -> Vec<usize> {
    changes::changes(series)
        .map(|found| found.iter().map(|change| change.index).collect())
        .unwrap_or_default()
}

/// 60 nights without any change, looked at each night: was there ever a change point, and was one confirmed?
fn white_noise(rng: &mut Rng) -> (bool, bool) {
    let series: Vec<f64> = (0..60).map(|_| POINT_SD * rng.normal()).collect();
    let mut seen = BTreeSet::new();
    let mut confirmed = false;
    for night in 4..=series.len() {
        for index in indices(&series[..night]) {
            // Each place is confirmed once; its alert is then noise.
            if seen.insert(index) {
                let mut side =
                    || -> Vec<f64> { (0..10).map(|_| PROCESS_SD * rng.normal()).collect() };
                confirmed |=
                    judge(&side(), &side(), None).is_ok_and(|judged| judged.verdict.is_change());
            }
        }
    }
    (!seen.is_empty(), confirmed)
}

/// Nights after a step until it is provisional at its place or one beside it; `None` within 20.
fn nights_until_found(ratio: f64, rng: &mut Rng) -> Option<usize> {
    let series = step(ratio, 30, 20, rng);
    (1..=20).find(|after| {
        indices(&series[..30 + after])
            .iter()
            .any(|index| index.abs_diff(30) <= 1)
    })
}
