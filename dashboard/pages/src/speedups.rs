//! Speed-up bars over a baseline: each benchmark in every mode, the geometric mean on top.

use dashboard_api::{Dropped, Geomean, factor};
use dashboard_charts::{Bar, BarGroup, Bars};
use maud::{Markup, html};

use crate::PageError;
use crate::common::{legend_of, ratio, ratio_text, revision_link, speedup_entry, stands_on};
use crate::context::{Context, Readings};
use crate::layout::{Content, Draft, figure, nothing};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

pub(crate) fn page(
    context: &Context<'_>,
    draft: &mut Draft,
    baseline: &str,
) -> Result<Content, PageError> {
    let readings = Readings::new(context.source.recent_cells(&context.scope, 1)?);
    let newest = readings.positions().last().copied();
    let lead = html! {
        p.lead {
            "How many times faster the subject runs each benchmark than " strong { (baseline) }
            @if let Some(p) = newest { ", at " (revision_link(context, draft, p)) }
            ": the baseline's steady time over the mode's, measured in the same run."
            @if let Some(version) = context.baselines().find(|b| b.name == baseline).and_then(|b| b.version.as_deref()) {
                " The baseline says: " q { (version) } "."
            }
        }
        @if context.baselines().count() > 1 {
            ul.tabs aria-label="Baseline" { @for b in context.baselines() {
                li { a href=(draft.to(&Route::Speedups(b.name.clone()))) aria-current=[(b.name == baseline).then_some("true")] { (b.name) } }
            } }
        }
    };
    let body = match newest {
        Some(position) => section(context, draft, &readings, position, baseline)?,
        None => nothing("No benchmark has been measured yet."),
    };
    Ok(Content {
        title: format!("Speed-up over {baseline}"),
        lead,
        body,
    })
}

/// Bars and table of one revision over one baseline.
pub(crate) fn section(
    context: &Context<'_>,
    draft: &mut Draft,
    readings: &Readings,
    position: i64,
    baseline: &str,
) -> Result<Markup, PageError> {
    let modes: Vec<_> = context.modes().collect();
    let means: Vec<Result<Geomean, Vec<Dropped>>> = modes
        .iter()
        .map(|m| readings.over_baseline(&context.benchmarks, &m.name, position, baseline))
        .collect();
    if means.iter().all(Result::is_err) {
        return Ok(html! {
            (nothing(&format!("No benchmark is valid in the subject and in {baseline} in the same run, so there is no ratio.")))
            (table(context, draft, readings, position, baseline))
        });
    }
    let mut groups = vec![summary_group(context, &means)];
    groups.extend(context.benchmarks.iter().map(|b| {
        BarGroup {
            name: b.name.clone(),
            note: String::new(),
            href: Some(draft.to(&Route::Benchmark(b.name.clone()))),
            summary: false,
            bars: modes
                .iter()
                .map(|m| {
                    let cell = readings.mode(&b.name, &m.name, position);
                    let beside = cell.and_then(|c| readings.beside(c, baseline));
                    match (
                        ratio(cell, beside),
                        cell.and_then(|c| c.reading.failure()),
                        beside.and_then(|c| c.reading.failure()),
                    ) {
                        (Some(r), ..) => Bar::Ratio {
                            point: r.point,
                            low: r.low,
                            high: r.high,
                            label: ratio_text(&r),
                        },
                        (None, Some(outcome), _) => Bar::None {
                            why: outcome.word().to_owned(),
                            failed: outcome.is_failure(),
                        },
                        (None, None, Some(outcome)) => Bar::None {
                            why: format!("baseline {}", outcome.word()),
                            failed: true,
                        },
                        (None, None, None) => Bar::None {
                            why: "not measured".to_owned(),
                            failed: false,
                        },
                    }
                })
                .collect(),
        }
    }));
    let bars = Bars {
        modes: modes
            .iter()
            .map(|m| (m.name.clone(), context.series(&m.name)))
            .collect(),
        baseline: format!("as fast as {baseline}"),
        groups,
    };
    let caption = "Logarithmic axis: twice as fast and half as fast are equally far from 1×. Whiskers are 95 % intervals. \
                   A failed benchmark has no bar and is in no mean.";
    let chart = figure(&bars, &legend_of(context, modes.iter().copied()), caption)?;
    Ok(html! { (chart) (table(context, draft, readings, position, baseline)) })
}

fn summary_group(context: &Context<'_>, means: &[Result<Geomean, Vec<Dropped>>]) -> BarGroup {
    let counts: Vec<u32> = means
        .iter()
        .map(|m| m.as_ref().map_or(0, |g| g.count))
        .collect();
    let (least, most) = (
        counts.iter().min().copied().unwrap_or(0),
        counts.iter().max().copied().unwrap_or(0),
    );
    let of = context.benchmarks.len();
    let note = if least == most {
        format!("{most} of {of}")
    } else {
        format!("{least} to {most} of {of}")
    };
    BarGroup {
        name: "geomean".to_owned(),
        note,
        href: None,
        summary: true,
        bars: means
            .iter()
            .map(|mean| match mean {
                Ok(g) => Bar::Ratio {
                    point: g.ratio.point,
                    low: g.ratio.low,
                    high: g.ratio.high,
                    label: format!(
                        "{}\n{}",
                        ratio_text(&g.ratio),
                        stands_on(g.count, &g.dropped)
                    ),
                },
                Err(_) => Bar::None {
                    why: "nothing valid".to_owned(),
                    failed: false,
                },
            })
            .collect(),
    }
}

fn table(
    context: &Context<'_>,
    draft: &mut Draft,
    readings: &Readings,
    position: i64,
    baseline: &str,
) -> Markup {
    let mut columns = vec![words("Benchmark")];
    columns.extend(
        context
            .modes()
            .map(|m| numbers(format!("{} over {baseline}", m.name), "ratio")),
    );
    columns.push(numbers(baseline, "s"));
    let mut table =
        Table::new("speedups", format!("Speed-up over {baseline}"), columns).with_filter();
    for b in &context.benchmarks {
        let mut row = vec![Entry::link(
            b.name.clone(),
            &draft.to(&Route::Benchmark(b.name.clone())),
        )];
        let mut base = None;
        for m in context.modes() {
            let cell = readings.mode(&b.name, &m.name, position);
            let beside = cell.and_then(|c| readings.beside(c, baseline));
            base = base.or(beside);
            row.push(speedup_entry(cell, beside));
        }
        row.push(crate::common::reading_entry(
            dashboard_api::Metric::Steady,
            base,
        ));
        table.row(row);
    }
    let mut means = vec![Entry::word("geometric mean")];
    for m in context.modes() {
        means.push(match readings.over_baseline(&context.benchmarks, &m.name, position, baseline) {
            Ok(g) => Entry::number(g.ratio.point, factor(g.ratio.point))
                .shown_as(html! { strong title=(stands_on(g.count, &g.dropped)) { (factor(g.ratio.point)) } }),
            Err(_) => Entry::none(),
        });
    }
    means.push(Entry::none());
    table.row(means);
    let left_out: Vec<Markup> = context
        .modes()
        .filter_map(|m| {
            let (count, dropped) =
                match readings.over_baseline(&context.benchmarks, &m.name, position, baseline) {
                    Ok(g) => (g.count, g.dropped),
                    Err(dropped) => (0, dropped),
                };
            (!dropped.is_empty()).then(
                || html! { li { strong { (m.name) } ": mean of " (stands_on(count, &dropped)) } },
            )
        })
        .collect();
    html! {
        (draft.table(table, "No benchmark is known."))
        @if !left_out.is_empty() { ul.notes { @for item in &left_out { (item) } } }
    }
}
