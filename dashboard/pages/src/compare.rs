//! Two revisions against each other: every benchmark in every mode with its verdict, the most significant first.
//!
//! The static folder has the pairs of neighbours that the newest nights measured together; the server makes any pair
//! (`compare/OLD-NEW.html`, twelve digits each).

use dashboard_api::{Compared, Comparison, Revision, Verdict, clock_time, percent};
use dashboard_charts::{Forest, ForestRow, Ink};
use maud::{Markup, html};

use crate::PageError;
use crate::common::{legend_of, revision_entry, revision_link};
use crate::context::Context;
use crate::layout::{Content, Draft, Tile, figure, nothing, tiles};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

/// Pairs that have a page in the static folder.
pub(crate) const PAIRS: usize = 30;

/// Rows of the figure; the table has all.
const DRAWN: usize = 40;

/// The page of the pair `old`, `new`, positions both.
pub(crate) fn route(context: &Context<'_>, old: i64, new: i64) -> Option<Route> {
    let sha = |position| Some(context.revision(position)?.sha.clone());
    Some(Route::Compare(sha(old)?, sha(new)?))
}

/// The route of `compare/OLD-NEW.html` for any two revisions that exist.
pub(crate) fn find(context: &Context<'_>, path: &str) -> Option<Route> {
    let (old, new) = path
        .strip_prefix("compare/")?
        .strip_suffix(".html")?
        .split_once('-')?;
    let sha = |short: &str| {
        let mut fitting = context
            .revisions
            .iter()
            .filter(|r| r.sha.starts_with(short));
        let found = fitting.next().filter(|_| short.len() >= 7)?;
        fitting.next().is_none().then(|| found.sha.clone())
    };
    Some(Route::Compare(sha(old)?, sha(new)?))
}

pub(crate) fn list(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let pairs = context.source.neighbours(&context.scope, PAIRS)?;
    let columns = vec![
        words("Comparison"),
        words("Before"),
        words("After"),
        words("What changed"),
        words("Author"),
    ];
    let mut table = Table::new(
        "pairs",
        "Neighbours measured together, newest first",
        columns,
    )
    .with_filter();
    for (old, new) in pairs {
        let (Some(route), Some(revision)) = (route(context, old, new), context.revision(new))
        else {
            continue;
        };
        table.row(vec![
            Entry::link("compare", &draft.to(&route)),
            revision_entry(context, draft, old),
            revision_entry(context, draft, new),
            Entry::word(revision.title.clone()),
            Entry::word(revision.author.clone()),
        ]);
    }
    Ok(Content {
        title: "Compare".to_owned(),
        lead: html! { p.lead {
            "Two revisions measured interleaved in one run, judged by the rule of every verdict. Behind `nightjar serve` any two revisions "
            "can be compared: " code { "compare/OLD-NEW.html" } ", with the first digits of their ids; `nightjar compare` also takes modes and baselines."
        } },
        body: html! { section { (draft.table(table, "No two neighbouring revisions were measured in one run yet.")) } },
    })
}

pub(crate) fn one(
    context: &Context<'_>,
    draft: &mut Draft,
    old: &Revision,
    new: &Revision,
) -> Result<Content, PageError> {
    let comparison = context
        .source
        .comparison(&context.scope, old.position, new.position)?;
    let lead = html! {
        p.lead { strong { (new.title) } }
        p.lead {
            "From " (revision_link(context, draft, old.position)) " to " (revision_link(context, draft, new.position))
            @if let Some(comparison) = &comparison {
                ", measured in turns in the run of " (clock_time(comparison.started_at))
            }
            "."
        }
    };
    let body = match &comparison {
        Some(comparison) => compared(context, draft, comparison)?,
        None => nothing("No run measured both: numbers of different nights are not compared."),
    };
    Ok(Content {
        title: format!("{} against {}", new.short(), old.short()),
        lead,
        body,
    })
}

fn compared(
    context: &Context<'_>,
    draft: &mut Draft,
    comparison: &Comparison,
) -> Result<Markup, PageError> {
    let means: Vec<Tile> = comparison
        .means
        .iter()
        .map(|mean| Tile {
            title: html! { strong { (mean.mode) } " time, geometric mean" },
            value: percent(mean.ratio),
            note: html! {
                (percent(mean.interval.0)) " to " (percent(mean.interval.1)) " (95 %); " (mean.benchmarks) " benchmarks"
                @let left_out = comparison.dropped.iter().filter(|(_, mode, _)| *mode == mean.mode).count();
                @if left_out > 0 { ", " (left_out) " left out" }
            },
            series: Some(context.series(&mean.mode)),
        })
        .collect();
    let count = |verdict| {
        comparison
            .rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    };
    let chart = if comparison.rows.is_empty() {
        html! {}
    } else {
        figure(
            &forest(context, draft, comparison),
            &legend_of(context, context.modes()),
            &format!(
                "New time over old with its 95 % interval, {} of {} shown, the most significant first. Coloured is what the rule calls a change: \
                 p at most 0.01 and the whole interval beyond the band of ±1 % (or the series' own noise). One comparison is a candidate; \
                 a confirmation run makes it an alert that counts.",
                comparison.rows.len().min(DRAWN),
                comparison.rows.len()
            ),
        )?
    };
    let table = rows_table(draft, comparison);
    let dropped = dropped_table(comparison);
    Ok(html! {
        section {
            h2 { (count(Verdict::Slower)) " slower, " (count(Verdict::Faster)) " faster, "
                (count(Verdict::NoChange) + count(Verdict::TooFew)) " unchanged or undecided" }
            (tiles(&means))
            (chart)
            (draft.table(table, "Nothing was measured on both sides."))
        }
        @if !comparison.dropped.is_empty() {
            section { h2 { "Left out" } (draft.table(dropped, "")) }
        }
    })
}

fn forest(context: &Context<'_>, draft: &Draft, comparison: &Comparison) -> Forest {
    let rows = comparison.rows.iter().take(DRAWN).map(|row| {
        let (low, high) = row.interval.unwrap_or((row.ratio, row.ratio));
        ForestRow {
            name: row.benchmark.clone(),
            mode: (row.mode.clone(), context.series(&row.mode)),
            point: row.ratio,
            low,
            high,
            ink: match row.verdict {
                Verdict::Slower => Ink::Bad,
                Verdict::Faster => Ink::Good,
                Verdict::NoChange | Verdict::TooFew => Ink::Muted,
            },
            label: format!(
                "{}\n{} to {}\n{}",
                percent(row.ratio),
                percent(low),
                percent(high),
                said(row)
            ),
            href: Some(draft.to(&Route::Benchmark(row.benchmark.clone()))),
        }
    });
    Forest {
        rows: rows.collect(),
        band: 0.01,
        format: percent,
    }
}

fn said(row: &Compared) -> String {
    match row.verdict {
        _ if row.same_code => "no change: equal machine code".to_owned(),
        Verdict::TooFew => format!(
            "no verdict: {} and {} processes",
            row.processes.0, row.processes.1
        ),
        verdict => verdict.word().to_owned(),
    }
}

fn rows_table(draft: &Draft, comparison: &Comparison) -> Table {
    let columns = vec![
        words("Benchmark"),
        words("Mode"),
        numbers("Change", "%"),
        numbers("Low", "%"),
        numbers("High", "%"),
        numbers("p", ""),
        words("Verdict"),
        numbers("Would have been seen from", "%"),
    ];
    let mut table = Table::new("rows", "Benchmark by benchmark", columns)
        .with_filter()
        .with_sticky_column();
    let change = |ratio: f64| Entry::number((ratio - 1.0) * 100.0, percent(ratio));
    for row in &comparison.rows {
        let class = match row.verdict {
            Verdict::Slower => "worse",
            Verdict::Faster => "better",
            Verdict::NoChange | Verdict::TooFew => "muted",
        };
        table.row(vec![
            Entry::link(
                row.benchmark.clone(),
                &draft.to(&Route::Benchmark(row.benchmark.clone())),
            ),
            Entry::word(row.mode.clone()),
            change(row.ratio).styled(class),
            row.interval
                .map_or_else(Entry::none, |(low, _)| change(low)),
            row.interval
                .map_or_else(Entry::none, |(_, high)| change(high)),
            row.p
                .map_or_else(Entry::none, |p| Entry::number(p, small(p))),
            Entry::word(said(row))
                .shown_as(html! { span.nowrap { (said(row)) } })
                .styled(class),
            row.smallest_visible.map_or_else(Entry::none, |size| {
                Entry::number(size * 100.0, format!("{:.1} %", size * 100.0))
            }),
        ]);
    }
    table
}

fn small(p: f64) -> String {
    if p >= 0.001 {
        format!("{p:.3}")
    } else {
        format!("{p:.0e}")
    }
}

fn dropped_table(comparison: &Comparison) -> Table {
    let columns = vec![words("Benchmark"), words("Mode"), words("Why")];
    let mut table = Table::new("dropped", "Without a ratio", columns);
    for (benchmark, mode, why) in &comparison.dropped {
        table.row(vec![
            Entry::word(benchmark.clone()),
            Entry::word(mode.clone()),
            Entry::word(why.clone()),
        ]);
    }
    table
}
