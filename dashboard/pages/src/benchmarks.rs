//! The list of benchmarks, and one page per benchmark with its timeline.

use dashboard_api::{Benchmark, Certainty, ChangePoint, Metric, Reading, Role, factor, percent};
use dashboard_charts::{ChangeMark, Line, Sparkline, Spot, Timeline, YAxis};
use maud::{Markup, html};

use crate::PageError;
use crate::common::{
    amount, change_entry, columns, estimate_text, legend_of, reading_entry, revision_entry,
    revision_link, speedup_entry, timeline_markup,
};
use crate::context::{Context, Readings};
use crate::layout::{Content, Draft, inline, nothing};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

const TREND: usize = 40;
/// Rows of a benchmark's tables that are on the page.
const ROWS: usize = 60;

pub(crate) fn list(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let readings = Readings::new(context.source.recent_cells(&context.scope, TREND)?);
    let positions = readings.positions();
    let newest = positions.last().copied();
    let mut columns = vec![words("Benchmark"), words("Category")];
    columns.extend(context.modes().map(|m| numbers(m.name.clone(), "s")));
    columns.extend(context.baselines().map(|b| numbers(b.name.clone(), "s")));
    let main = context.main_mode().map(|m| m.name.clone());
    columns.push(words(
        main.as_ref()
            .map_or_else(|| "Trend".to_owned(), |m| format!("Trend of {m}")),
    ));
    let mut table = Table::new("benchmarks", "Benchmarks", columns)
        .with_filter()
        .with_sticky_column();
    for benchmark in &context.benchmarks {
        let name = &benchmark.name;
        let mut row = vec![
            Entry::link(name.clone(), &draft.to(&Route::Benchmark(name.clone()))),
            Entry::word(&benchmark.category),
        ];
        let at_newest = |mode: &str| newest.and_then(|p| readings.mode(name, mode, p));
        row.extend(
            context
                .modes()
                .map(|m| reading_entry(Metric::Steady, at_newest(&m.name))),
        );
        let any = context.modes().find_map(|m| at_newest(&m.name));
        row.extend(context.baselines().map(|b| {
            reading_entry(
                Metric::Steady,
                any.and_then(|cell| readings.beside(cell, &b.name)),
            )
        }));
        row.push(match &main {
            Some(mode) => {
                Entry::word("").shown_as(trend(context, &readings, &positions, name, mode)?)
            }
            None => Entry::none(),
        });
        table.row(row);
    }
    let lead = html! {
        p.lead {
            "Steady time per iteration"
            @if let Some(p) = newest { " at " (revision_link(context, draft, p)) ", the newest measured revision" }
            ". Baselines were measured in the same run. The trend covers the last " (positions.len()) " measured revisions; up is slower."
        }
    };
    let body = draft.table(table, "No benchmark has been measured yet.");
    Ok(Content {
        title: "Benchmarks".to_owned(),
        lead,
        body,
    })
}

fn trend(
    context: &Context<'_>,
    readings: &Readings,
    positions: &[i64],
    benchmark: &str,
    mode: &str,
) -> Result<Markup, PageError> {
    let cells: Vec<_> = positions
        .iter()
        .map(|&p| readings.mode(benchmark, mode, p))
        .collect();
    let line = Sparkline {
        title: format!("{benchmark} in mode {mode}, {} revisions", positions.len()),
        series: context.series(mode),
        values: cells
            .iter()
            .map(|c| c.and_then(|c| c.reading.estimate()).map(|e| e.point))
            .collect(),
        failed_last: matches!(cells.last(), Some(Some(c)) if c.reading.failure().is_some()),
    };
    Ok(inline(&line, 150)?)
}

pub(crate) fn one(
    context: &Context<'_>,
    draft: &mut Draft,
    benchmark: &Benchmark,
) -> Result<Content, PageError> {
    let name = &benchmark.name;
    let changes = context.source.change_points(&context.scope, Some(name))?;
    let mut sections = Vec::new();
    for metric in Metric::ALL {
        let readings = Readings::new(context.source.benchmark_cells(
            &context.scope,
            name,
            metric,
        )?);
        if readings.is_empty() {
            continue;
        }
        let changes = if metric == Metric::Steady {
            &changes[..]
        } else {
            &[]
        };
        sections.push(metric_section(
            context, draft, benchmark, metric, &readings, changes,
        )?);
    }
    let lead = html! {
        p.lead {
            @if !benchmark.description.is_empty() { (benchmark.description) " " }
            "Category " (benchmark.category) ". "
            a href=(draft.to(&Route::Warmup(name.clone()))) { "Warm-up curves" }
        }
    };
    let body = html! {
        @for section in &sections { (section) }
        @if sections.is_empty() { (nothing("This benchmark has no readings yet.")) }
    };
    Ok(Content {
        title: name.clone(),
        lead,
        body,
    })
}

fn metric_section(
    context: &Context<'_>,
    draft: &mut Draft,
    benchmark: &Benchmark,
    metric: Metric,
    readings: &Readings,
    changes: &[ChangePoint],
) -> Result<Markup, PageError> {
    let chart = timeline(context, draft, &benchmark.name, metric, readings, changes);
    let shown: Vec<_> = context
        .variants
        .iter()
        .filter(|v| chart.lines.iter().any(|l| l.name == v.name))
        .collect();
    let caption = match metric {
        Metric::Steady => {
            "Bars or bands are 95 % intervals over process executions. A cross below the plot is a failure, which has no time. \
                           A baseline (dashed) is drawn at each revision with the value from the same run."
        }
        Metric::First => {
            "The first call in a fresh process: interpreter, compilation and the first traces included."
        }
        Metric::PeakRss => "The largest resident set of the process.",
        Metric::Instructions => {
            "Of a whole process under valgrind, start-up and compilation included. Counts repeat within hundredths of a percent, so small \
                           steps are real; they say nothing about time."
        }
    };
    let legend = legend_of(context, shown);
    let markup = timeline_markup(&chart, &legend, caption, metric == Metric::Steady)?;
    let change_table = if metric == Metric::Steady {
        change_table(context, draft, changes)
    } else {
        html! {}
    };
    let table = table(context, draft, &benchmark.name, metric, readings);
    Ok(html! { section { h2 { (metric.title()) } (markup) (change_table) (table) } })
}

fn timeline(
    context: &Context<'_>,
    draft: &Draft,
    benchmark: &str,
    metric: Metric,
    readings: &Readings,
    changes: &[ChangePoint],
) -> Timeline {
    let positions = readings.positions();
    let columns = columns(context, draft, &positions);
    let cell = |variant: &str, role: Role, position: i64| match role {
        Role::Baseline => {
            let beside = context
                .modes()
                .find_map(|m| readings.mode(benchmark, &m.name, position))?;
            readings.beside(beside, variant)
        }
        Role::Mode | Role::Stress => readings.mode(benchmark, variant, position),
    };
    let lines: Vec<Line> = context
        .variants
        .iter()
        .map(|v| Line {
            name: v.name.clone(),
            series: context.series(&v.name),
            dash: context.dash(&v.name),
            spots: positions
                .iter()
                .map(|&p| {
                    let cell = cell(&v.name, v.role, p)?;
                    spot(metric, &cell.reading)
                })
                .collect(),
        })
        .filter(|line| line.spots.iter().any(Option::is_some))
        .collect();
    let changes = changes
        .iter()
        .filter_map(|c| {
            Some(ChangeMark {
                column: positions.iter().position(|&p| p == c.position)?,
                series: context.series(&c.variant),
                worse: c.ratio > 1.0,
                provisional: c.certainty == Certainty::Provisional,
                label: format!(
                    "change point of {} at {}: {}",
                    c.variant,
                    context.short(c.position),
                    percent(c.ratio)
                ),
            })
        })
        .collect();
    let format: fn(f64) -> String = match metric {
        Metric::Steady | Metric::First => tick_seconds,
        Metric::PeakRss => dashboard_api::bytes,
        Metric::Instructions => dashboard_api::count,
    };
    let title = format!(
        "{}, log scale, lower is better",
        metric.title().to_lowercase()
    );
    Timeline {
        columns,
        lines,
        changes,
        y: YAxis {
            title,
            format,
            log: true,
            reference: None,
            bounds: None,
        },
        marked: true,
    }
}

/// A value or a failure; what was not run or not supported is a gap.
fn spot(metric: Metric, reading: &Reading) -> Option<Spot> {
    match reading {
        Reading::Measured { estimate: e } => Some(Spot::Value {
            point: e.point,
            low: e.low,
            high: e.high,
            label: estimate_text(metric, e),
        }),
        Reading::Failed { outcome, detail } if outcome.is_failure() => Some(Spot::Failure {
            label: format!("{} {detail}", outcome.word()),
        }),
        Reading::Failed { .. } => None,
    }
}

/// Seconds for an axis: no needless zeros.
pub(crate) fn tick_seconds(s: f64) -> String {
    let (value, unit) = match s {
        s if s >= 0.999_999 => (s, "s"),
        s if s >= 0.000_999_999 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let rounded = (value * 1e3).round() / 1e3;
    format!("{rounded} {unit}")
}

fn change_table(context: &Context<'_>, draft: &mut Draft, changes: &[ChangePoint]) -> Markup {
    if changes.is_empty() {
        return html! {};
    }
    let columns = vec![
        words("Mode"),
        words("First revision"),
        numbers("New over old", "ratio"),
        words("Certainty"),
    ];
    let mut table = Table::new("changes", "Change points", columns);
    for c in changes.iter().rev() {
        let class = if c.ratio > 1.0 { "worse" } else { "better" };
        let certainty = match c.certainty {
            Certainty::Provisional => "provisional",
            Certainty::Established => "established",
        };
        table.row(vec![
            Entry::word(c.variant.clone()),
            revision_entry(context, draft, c.position),
            Entry::number(
                c.ratio,
                format!("{} ({})", percent(c.ratio), factor(c.ratio)),
            )
            .styled(class),
            Entry::word(certainty),
        ]);
    }
    draft.table(table, "")
}

fn table(
    context: &Context<'_>,
    draft: &mut Draft,
    benchmark: &str,
    metric: Metric,
    readings: &Readings,
) -> Markup {
    let id = match metric {
        Metric::Steady => "steady",
        Metric::First => "first",
        Metric::PeakRss => "memory",
        Metric::Instructions => "instructions",
    };
    let main = context
        .main_mode()
        .map(|m| m.name.clone())
        .unwrap_or_default();
    let mut columns = vec![words("Revision"), words("Date")];
    columns.extend(
        context
            .modes()
            .map(|m| numbers(m.name.clone(), metric.unit())),
    );
    columns.push(numbers(format!("{main} v. before"), "%"));
    for b in context.baselines() {
        columns.push(numbers(b.name.clone(), metric.unit()));
        if metric.has_speedups() {
            columns.push(numbers(format!("{main} over {}", b.name), "ratio"));
        }
    }
    let caption = format!("{}, newest first", metric.title());
    let mut table = Table::new(id, caption, columns)
        .with_filter()
        .with_sticky_column()
        .showing(ROWS);
    let positions = readings.positions();
    for (i, &p) in positions.iter().enumerate().rev() {
        let now = readings.mode(benchmark, &main, p);
        let before = i
            .checked_sub(1)
            .and_then(|i| readings.mode(benchmark, &main, positions[i]));
        let date = context
            .revision(p)
            .map(|r| dashboard_api::calendar_date(r.committed_at))
            .unwrap_or_default();
        let mut row = vec![revision_entry(context, draft, p), Entry::stamp(date)];
        row.extend(
            context
                .modes()
                .map(|m| reading_entry(metric, readings.mode(benchmark, &m.name, p))),
        );
        row.push(change_entry(now, before));
        let any = context
            .modes()
            .find_map(|m| readings.mode(benchmark, &m.name, p));
        for b in context.baselines() {
            let beside = any.and_then(|cell| readings.beside(cell, &b.name));
            row.push(reading_entry(metric, beside));
            if metric.has_speedups() {
                row.push(speedup_entry(now, beside));
            }
        }
        table.row(row);
    }
    draft.table(table, "No revision has a reading.")
}

/// Seconds as used by axes and warm-up tooltips.
pub(crate) fn shown_seconds(s: f64) -> String {
    amount(Metric::Steady, s)
}
