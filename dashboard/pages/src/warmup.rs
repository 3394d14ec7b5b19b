//! Warm-up curves: how a process gets from its first iteration to its steady state.

use dashboard_api::{Benchmark, WarmupCurve};
use dashboard_charts::{Curve, Warmup};
use maud::{Markup, html};

use crate::PageError;
use crate::benchmarks::{shown_seconds, tick_seconds};
use crate::common::{legend_of, revision_link};
use crate::context::Context;
use crate::layout::{Content, Draft, figure, nothing};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

pub(crate) fn list(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let mut table = Table::new(
        "warmup",
        "Warm-up by benchmark and mode",
        vec![
            words("Benchmark"),
            words("Mode"),
            numbers("First iteration", "s"),
            numbers("Steady", "s"),
            numbers("First over steady", "ratio"),
            numbers("Steady from iteration", ""),
            words("Class"),
        ],
    )
    .with_filter();
    for benchmark in &context.benchmarks {
        let Some((_, curves)) = context.source.warmup(&context.scope, &benchmark.name)? else {
            continue;
        };
        for curve in &curves {
            let medians = medians(curve);
            let (Some(first), Some(steady)) = (medians.first(), steady_median(curve, &medians))
            else {
                continue;
            };
            table.row(vec![
                Entry::link(
                    benchmark.name.clone(),
                    &draft.to(&Route::Warmup(benchmark.name.clone())),
                ),
                Entry::word(curve.variant.clone()),
                Entry::number(first.0, shown_seconds(first.0)),
                Entry::number(steady, shown_seconds(steady)),
                Entry::number(first.0 / steady, dashboard_api::factor(first.0 / steady)),
                curve
                    .steady_from
                    .map_or_else(|| Entry::word("never"), |n| Entry::count(n + 1)),
                Entry::word(curve.class.clone()),
            ]);
        }
    }
    let lead = html! {
        p.lead {
            "A JIT pays before it gains. Each row sets the first iteration of a fresh process (median over processes) beside the \
            steady ones. Iterations are counted from 1."
        }
    };
    let body = draft.table(table, "No process has stored its iterations yet.");
    Ok(Content {
        title: "Warm-up".to_owned(),
        lead,
        body,
    })
}

pub(crate) fn one(
    context: &Context<'_>,
    draft: &mut Draft,
    benchmark: &Benchmark,
) -> Result<Content, PageError> {
    let name = &benchmark.name;
    let found = context.source.warmup(&context.scope, name)?;
    let (lead, body) = match found {
        None => (
            html! {},
            nothing("No process of this benchmark has stored its iterations yet."),
        ),
        Some((position, curves)) => {
            let lead = html! {
                p.lead {
                    "Time of each iteration from the start of the process at " (revision_link(context, draft, position))
                    ": median over processes, with the range as a band. The tick marks where the steady state begins. "
                    a href=(draft.to(&Route::Benchmark(name.clone()))) { "Timeline of " (name) }
                }
            };
            (lead, curves_section(context, draft, &curves)?)
        }
    };
    Ok(Content {
        title: format!("Warm-up of {name}"),
        lead,
        body,
    })
}

fn curves_section(
    context: &Context<'_>,
    draft: &mut Draft,
    curves: &[WarmupCurve],
) -> Result<Markup, PageError> {
    // The second half of an A/A pair is in the table alone: it repeats a mode's curve.
    let drawn = |c: &&WarmupCurve| context.variants.iter().any(|v| v.name == c.variant);
    let chart = Warmup {
        curves: curves
            .iter()
            .filter(drawn)
            .map(|c| Curve {
                name: c.variant.clone(),
                series: context.series(&c.variant),
                dash: context.dash(&c.variant),
                iterations: medians(c),
                steady_from: c.steady_from,
            })
            .collect(),
        format: tick_seconds,
    };
    let shown = context
        .variants
        .iter()
        .filter(|v| curves.iter().any(|c| c.variant == v.name));
    let markup = figure(
        &chart,
        &legend_of(context, shown),
        "Logarithmic time axis; lower is better.",
    )?;
    let mut table = Table::new(
        "iterations",
        "Iterations",
        vec![
            words("Mode"),
            numbers("Iteration", ""),
            numbers("Median", "s"),
            numbers("Smallest", "s"),
            numbers("Largest", "s"),
            numbers("Processes", ""),
        ],
    )
    .with_filter();
    for curve in curves {
        for (i, (median, min, max)) in medians(curve).into_iter().enumerate() {
            let processes = curve.processes.iter().filter(|p| p.len() > i).count();
            table.row(vec![
                Entry::word(curve.variant.clone()),
                Entry::count(u32::try_from(i + 1).unwrap_or(u32::MAX)),
                Entry::number(median, shown_seconds(median)),
                Entry::number(min, shown_seconds(min)),
                Entry::number(max, shown_seconds(max)),
                Entry::count(u32::try_from(processes).unwrap_or(u32::MAX)),
            ]);
        }
    }
    let table = draft.table(table, "No iterations are stored.");
    Ok(html! { (markup) details { summary { "All iterations as a table" } (table) } })
}

/// Per iteration the median, smallest and largest time over the processes that reached it.
fn medians(curve: &WarmupCurve) -> Vec<(f64, f64, f64)> {
    let longest = curve.processes.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest)
        .filter_map(|i| {
            let mut at: Vec<f64> = curve
                .processes
                .iter()
                .filter_map(|p| p.get(i).copied())
                .filter(|t| *t > 0.0)
                .collect();
            at.sort_by(f64::total_cmp);
            Some((median(&at)?, *at.first()?, *at.last()?))
        })
        .collect()
}

fn steady_median(curve: &WarmupCurve, medians: &[(f64, f64, f64)]) -> Option<f64> {
    let from = curve
        .steady_from
        .map_or(medians.len() / 2, |n| n as usize)
        .min(medians.len().saturating_sub(1));
    let mut tail: Vec<f64> = medians.get(from..)?.iter().map(|m| m.0).collect();
    tail.sort_by(f64::total_cmp);
    median(&tail)
}

fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    if n == 0 {
        return None;
    }
    Some(if n % 2 == 1 {
        sorted[n / 2]
    } else {
        f64::midpoint(sorted[n / 2 - 1], sorted[n / 2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_early_does_not_pull_later_medians() {
        let curve = WarmupCurve {
            variant: "opt".to_owned(),
            processes: vec![vec![3.0, 1.0], vec![5.0], vec![4.0, 2.0]],
            steady_from: None,
            class: String::new(),
        };
        assert_eq!(medians(&curve), [(4.0, 3.0, 5.0), (1.5, 1.0, 2.0)]);
    }
}
