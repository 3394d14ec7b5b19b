//! Searches among 64 commits whose culprit is known.

use crate::noise::Shape;
use crate::{Effort, Figure, Target, Unit, mean, share};
use bisect::failing::{self, Failing};
use bisect::timing::{self, Timing};
use bisect::{Ask, Limits, Line, Verdict};
use stats::rng::Rng;

/// Candidates: positions 1..=64, with a good one before.
const COMMITS: usize = 64;
/// Spread of the processes.
const SD: f64 = 0.02;

/// A made-up regression and its circumstances.
#[derive(Debug, Clone, Copy)]
struct Scene {
    name: &'static str,
    /// Ratio at and after the culprit.
    ratio: f64,
    shape: Shape,
    /// Ratio by which the machine drifts over 40 runs, forth and back.
    drift: f64,
    /// Share of the commits that do not build.
    broken: f64,
}

const SCENES: [Scene; 6] = [
    Scene {
        name: "5 % step, normal noise",
        ratio: 1.05,
        shape: Shape::Normal,
        drift: 0.0,
        broken: 0.0,
    },
    Scene {
        name: "5 % step, heavy tails",
        ratio: 1.05,
        shape: Shape::Heavy,
        drift: 0.0,
        broken: 0.0,
    },
    Scene {
        name: "5 % step, heavy tails and 1 % drift",
        ratio: 1.05,
        shape: Shape::Heavy,
        drift: 0.01,
        broken: 0.0,
    },
    Scene {
        name: "5 % step, clusters",
        ratio: 1.05,
        shape: Shape::Clustered,
        drift: 0.0,
        broken: 0.0,
    },
    Scene {
        name: "5 % improvement, normal noise",
        ratio: 1.0 / 1.05,
        shape: Shape::Normal,
        drift: 0.0,
        broken: 0.0,
    },
    Scene {
        name: "5 % step, one commit in five broken",
        ratio: 1.05,
        shape: Shape::Normal,
        drift: 0.0,
        broken: 0.2,
    },
];

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    none: usize,
    runs: Vec<usize>,
    builds: Vec<usize>,
}

/// Bisecting by timings: with a step, and without one.
#[must_use]
pub fn timings(effort: Effort) -> Vec<Figure> {
    let Effort { seed, trials } = effort;
    let mut figures = Vec::new();
    for (number, scene) in SCENES.iter().enumerate() {
        let tally = tally(scene, Rng::part(seed, number as u64).bits(), trials);
        let figure = |what: &str, value, target| {
            Figure::new(
                "bisect",
                format!("{}: {what}", scene.name),
                value,
                target,
                trials,
                seed,
            )
        };
        figures.push(figure(
            "right",
            share(tally.right, trials),
            Target::AtLeast(0.95),
        ));
        figures.push(figure(
            "wrong blame",
            share(tally.wrong, trials),
            Target::AtMost(0.02),
        ));
        figures
            .push(figure("mean runs", mean(&tally.runs), Target::AtMost(40.0)).in_unit(Unit::Runs));
        figures
            .push(figure("mean builds", mean(&tally.builds), Target::None).in_unit(Unit::Builds));
    }
    for (shape, drift) in [
        (Shape::Normal, 0.0),
        (Shape::Heavy, 0.01),
        (Shape::Clustered, 0.0),
    ] {
        let scene = Scene {
            name: "no step",
            ratio: 1.0,
            shape,
            drift,
            broken: 0.0,
        };
        let tally = tally(&scene, Rng::part(seed, 100 + shape as u64).bits(), trials);
        let what = format!("no step, {}: 'no difference'", shape.as_str());
        figures.push(Figure::new(
            "bisect",
            what,
            share(tally.none, trials),
            Target::AtLeast(0.98),
            trials,
            seed,
        ));
        let what = format!("no step, {}: someone blamed", shape.as_str());
        figures.push(Figure::new(
            "bisect",
            what,
            share(tally.wrong, trials),
            Target::AtMost(0.02),
            trials,
            seed,
        ));
    }
    figures
}

fn tally(scene: &Scene, seed: u64, trials: usize) -> Tally {
    let mut tally = Tally::default();
    for trial in 0..trials {
        let mut rng = Rng::part(seed, trial as u64);
        let culprit = 1 + rng.below(COMMITS);
        let broken: Vec<bool> = (0..=COMMITS)
            .map(|position| position > 0 && position < COMMITS && rng.chance(scene.broken))
            .collect();
        let phase = rng.unit();
        let mut search = Timing::new(Line::new(COMMITS + 1), Limits::default(), None);
        let verdict = loop {
            match search.next() {
                Ask::Done(verdict) => break verdict,
                Ask::Try(position) if broken[position] => {
                    drop(search.tell(position, timing::Answer::Broken))
                }
                Ask::Try(position) => {
                    let level = if position >= culprit {
                        scene.ratio.ln()
                    } else {
                        0.0
                    };
                    let turn = phase + search.runs() as f64 / 40.0;
                    let drift = scene.drift * (std::f64::consts::TAU * turn).sin() / 2.0;
                    let value = level + drift + SD * scene.shape.draw(&mut rng);
                    drop(search.tell(position, timing::Answer::Value(value)));
                }
            }
        };
        tally.runs.push(search.runs());
        tally.builds.push(search.builds());
        let is_culprit = scene.ratio != 1.0;
        match verdict {
            // Among broken commits the range up to the first one that can be tried is all that can be known.
            Verdict::Found { first, last, .. }
                if is_culprit && (first..=last).contains(&culprit) =>
            {
                tally.right += 1
            }
            Verdict::Found { .. } => tally.wrong += 1,
            Verdict::NoDifference { .. } => tally.none += 1,
            Verdict::CannotTell { .. } => {}
        }
    }
    tally
}

/// Bisecting tests: certain failures, flaky ones, and one that always was flaky.
#[must_use]
pub fn failures(effort: Effort) -> Vec<Figure> {
    let Effort { seed, trials } = effort;
    let trials = trials.div_ceil(2);
    let mut figures = Vec::new();
    for (number, (name, good_rate, bad_rate)) in [
        ("failing always", 0.0, 1.0),
        ("failing in 20 %", 0.0, 0.2),
        ("failing in 50 %", 0.0, 0.5),
        ("flaky in 5 %, then 60 %", 0.05, 0.6),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut right, mut wrong, mut runs, mut builds) = (0, 0, Vec::new(), Vec::new());
        for trial in 0..trials {
            let mut rng = Rng::part(seed.wrapping_add(number as u64), trial as u64);
            let culprit = 1 + rng.below(COMMITS);
            let (verdict, search) = search_failures(&mut rng, |position| {
                if position >= culprit {
                    bad_rate
                } else {
                    good_rate
                }
            });
            match verdict {
                Verdict::Found { first, last, .. } if (first, last) == (culprit, culprit) => {
                    right += 1
                }
                Verdict::Found { .. } => wrong += 1,
                _ => {}
            }
            runs.push(search.runs());
            builds.push(search.builds());
        }
        let figure = |what: &str, value, target| {
            Figure::new(
                "flaky",
                format!("test {name}: {what}"),
                value,
                target,
                trials,
                seed,
            )
        };
        figures.push(figure("right", share(right, trials), Target::AtLeast(0.95)));
        figures.push(figure(
            "wrong blame",
            share(wrong, trials),
            Target::AtMost(0.02),
        ));
        figures.push(figure("mean runs", mean(&runs), Target::None).in_unit(Unit::Runs));
        figures.push(figure("mean builds", mean(&builds), Target::None).in_unit(Unit::Builds));
    }
    let blamed = (0..trials)
        .filter(|trial| {
            let mut rng = Rng::part(seed ^ 77, *trial as u64);
            matches!(search_failures(&mut rng, |_| 0.2).0, Verdict::Found { .. })
        })
        .count();
    figures.push(Figure::new(
        "flaky",
        "test always flaky in 20 %: someone blamed",
        share(blamed, trials),
        Target::AtMost(0.02),
        trials,
        seed,
    ));
    figures
}

fn search_failures(rng: &mut Rng, rate: impl Fn(usize) -> f64) -> (Verdict, Failing) {
    let mut search = Failing::new(Line::new(COMMITS + 1), Limits::for_failures());
    loop {
        match search.next() {
            Ask::Done(verdict) => return (verdict, search),
            Ask::Try(position) => search.tell(
                position,
                if rng.chance(rate(position)) {
                    failing::Answer::Fail
                } else {
                    failing::Answer::Pass
                },
            ),
        }
    }
}
