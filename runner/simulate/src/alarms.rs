//! False alarms between equal builds, and whether steps of the size printed are found.

use crate::noise::Shape;
use crate::{Effort, Figure, Target, share};
use stats::alert;
use stats::rng::Rng;
use stats::rule::{Verdict, judge};

/// Benchmarks of a made-up night.
const BENCHMARKS: usize = 30;
/// Processes of each side.
const PROCESSES: usize = 10;
/// Iterations of each process.
const ITERATIONS: usize = 20;

/// A/A nights: everything is equal, so every flag is false. `trials / 2` nights (500 with 1,000 trials).
#[must_use]
pub fn false_alarms(effort: Effort) -> Vec<Figure> {
    let nights = (effort.trials / 2).max(1);
    let (mut flagged, mut confirmed, mut noisy_nights) = (0, 0, 0);
    for night in 0..nights {
        let mut rng = Rng::part(effort.seed, night as u64);
        let mut candidates = Vec::new();
        for benchmark in 0..BENCHMARKS {
            let shape = Shape::ALL[benchmark % 3];
            // Spread between processes from 0.3 % to 3 %, one per benchmark.
            let sd = 0.003 * 10f64.powf(rng.unit());
            let old = side(shape, sd, &mut rng);
            let new = side(shape, sd, &mut rng);
            if judge(&old, &new, None).is_ok_and(|judged| judged.verdict.is_change()) {
                flagged += 1;
                candidates.push(judge(
                    &side(shape, sd, &mut rng),
                    &side(shape, sd, &mut rng),
                    None,
                ));
            }
        }
        let candidates: Vec<_> = candidates.into_iter().flatten().collect();
        let bad = alert::confirm(&candidates)
            .into_iter()
            .filter(|verdict| verdict.is_change())
            .count();
        confirmed += bad;
        noisy_nights += usize::from(bad > 0);
    }
    let all = nights * BENCHMARKS;
    let figure =
        |what: &str, value, target| Figure::new("aa", what, value, target, nights, effort.seed);
    vec![
        figure(
            "A/A benchmarks flagged before confirmation",
            share(flagged, all),
            Target::AtMost(0.02),
        ),
        figure(
            "A/A benchmarks flagged after confirmation",
            share(confirmed, all),
            Target::AtMost(0.005),
        ),
        figure(
            "A/A nights with a confirmed alarm",
            share(noisy_nights, nights),
            Target::None,
        ),
    ]
}

/// Process means over iterations that share their process's luck.
fn side(shape: Shape, sd: f64, rng: &mut Rng) -> Vec<f64> {
    (0..PROCESSES)
        .map(|_| {
            let process = sd * shape.draw(rng);
            let times: f64 = (0..ITERATIONS)
                .map(|_| (process + sd * rng.normal()).exp())
                .sum();
            (times / ITERATIONS as f64).ln()
        })
        .collect()
}

/// A night prints its smallest visible change; another night then has a step of that size. How often is it found?
#[must_use]
pub fn visible_steps(effort: Effort) -> Vec<Figure> {
    let trials = effort.trials * 2;
    let mut figures = Vec::new();
    for shape in Shape::ALL {
        for n in [5, 10, 20] {
            let sd = 0.015;
            let mut rng = Rng::part(effort.seed, (n * 10 + shape as usize) as u64);
            let found = (0..trials)
                .filter(|_| {
                    let mut side = |level| shape.processes(n, level, sd, &mut rng);
                    let printed = judge(&side(0.0), &side(0.0), None)
                        .ok()
                        .and_then(|j| j.smallest_visible);
                    printed.is_some_and(|size| {
                        judge(&side(0.0), &side(size.ln_1p()), None)
                            .is_ok_and(|judged| judged.verdict == Verdict::Larger)
                    })
                })
                .count();
            let what = format!(
                "steps of the printed size found, {n} processes, {}",
                shape.as_str()
            );
            figures.push(Figure::new(
                "visible",
                what,
                share(found, trials),
                Target::Between(0.75, 0.85),
                trials,
                effort.seed,
            ));
        }
    }
    figures
}
