//! The overview: what failed last night, how fast the subject is, and what moved.

use dashboard_api::{
    Alert, Build, Change, Geomean, LibraryReport, Metric, Night, Outcome, Score, SourceError,
    clock_time, duration, factor,
};
use dashboard_charts::{Line, Spot, Timeline, YAxis};
use maud::{Markup, html};

use crate::PageError;
use crate::common::{
    change_entry, columns, legend_of, ratio, ratio_entry, revision_entry, revision_link, stands_on,
};
use crate::context::{Context, Readings};
use crate::layout::{Content, Draft, Tile, figure, nothing, pill, tiles};
use crate::library::percent_of;
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

const RECENT: usize = 40;

struct Facts {
    night: Option<Night>,
    readings: Readings,
    builds: Vec<Build>,
    library: Option<LibraryReport>,
    alerts: Vec<Alert>,
}

pub(crate) fn page(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let facts = gather(context)?;
    let newest = facts.readings.positions().last().copied();
    let body = html! {
        (last_night(context, draft, &facts))
        @if let Some(position) = newest {
            (speed(context, draft, &facts.readings, position)?)
            (movements(context, draft, &facts.readings))
        } @else {
            section { h2 { "Speed" } (nothing("No benchmark has been measured yet. `nightjar nightly` measures the newest commits.")) }
        }
        (library(context, draft, facts.library.as_ref()))
        (recent(context, draft, &facts))
    };
    Ok(Content {
        title: "Overview".to_owned(),
        lead: html! {},
        body,
    })
}

fn gather(context: &Context<'_>) -> Result<Facts, SourceError> {
    let source = context.source;
    let newest_tests = source.library_positions(&context.scope)?.last().copied();
    Ok(Facts {
        night: source.nights(&context.scope, 1)?.into_iter().next(),
        readings: Readings::new(source.recent_cells(&context.scope, RECENT)?),
        builds: source.builds(&context.scope, RECENT)?,
        alerts: source.alerts(&context.scope)?,
        library: match newest_tests {
            Some(position) => source.library(&context.scope, position)?,
            None => None,
        },
    })
}

fn last_night(context: &Context<'_>, draft: &mut Draft, facts: &Facts) -> Markup {
    let Some(night) = &facts.night else {
        return html! { section.card { h2 { "Last night" } (nothing("No night has run yet.")) } };
    };
    let failures = failure_table(context, draft, facts, night);
    let count = failures.len();
    let table = failures.into_table();
    html! {
            section.card {
                div.headline {
                    h2 { "Last night" }
                    (night_pill(night, count))
                }
                p {
                    (clock_time(night.started_at))
                    @if let Some(end) = night.finished_at { ", took " (duration((end - night.started_at) as f64)) }
                    ", " (night.tier) " tier, "
    (night.cells_ok + night.cells_failed) " benchmark cells measured"
                    @if night.cells_failed > 0 { ", " strong.bad { (night.cells_failed) " failed" } }
                    @if night.cells_not_run > 0 { ", " (night.cells_not_run) " not run" }
                                    ". Measured: "
                    @for (i, position) in night.positions.iter().enumerate() {
                        @if i > 0 { ", " }
                        (revision_link(context, draft, *position))
                    }
                    @if night.positions.is_empty() { "nothing" }
                    "."
                }
                (open_alerts(draft, &facts.alerts))
                @if let Some(canary) = &night.canary {
                    p.fine {
                        "A/A canary: "
                        @if canary.of == 0 { "no verdict, too few processes of the " (canary.planned) " benchmarks that were to be measured twice on one build" }
                        @else { (canary.text()) " benchmarks flagged between two measurements of one build" }
                        @if !canary.flagged.is_empty() { " (" (canary.flagged.join(", ")) "): take the night's single findings with care" }
                        "."
                    }
                }
                @if count == 0 {
                    p.fine { (pill("✓", "ok")) " Every build, benchmark and process of this night ended well." }
                } @else {
                    (draft.table(table, ""))
                }
            }
        }
}

/// Open alerts in one line, the confirmed ones first.
fn open_alerts(draft: &Draft, alerts: &[Alert]) -> Markup {
    let count = |state: &str, slower: bool| {
        let fits = |alert: &&Alert| alert.state == state && (alert.ratio > 1.0) == slower;
        alerts.iter().filter(fits).count()
    };
    let mut parts = Vec::new();
    for (state, kind) in [("confirmed", "fail"), ("provisional", "warn")] {
        for (slower, word) in [(true, "slower"), (false, "faster")] {
            let n = count(state, slower);
            if n > 0 {
                let kind = if slower { kind } else { "ok" };
                parts.push(pill(&format!("{n} {state} {word}"), kind));
            }
        }
    }
    html! {
        p { a href=(draft.to(&Route::Alerts)) { "Alerts" } ": "
            @if parts.is_empty() { "none open." }
            @for part in &parts { (part) " " }
        }
    }
}

fn night_pill(night: &Night, failures: usize) -> Markup {
    match night.state.as_str() {
        "complete" if failures == 0 => pill("clean", "ok"),
        "complete" => pill(&format!("{failures} failed"), "fail"),
        "running" => pill("running", "warn"),
        other => pill(other, "warn"),
    }
}

struct Failures(Table, usize);

impl Failures {
    fn len(&self) -> usize {
        self.1
    }
    fn into_table(self) -> Table {
        self.0
    }
}

fn failure_table(context: &Context<'_>, draft: &Draft, facts: &Facts, night: &Night) -> Failures {
    let columns = vec![
        words("What"),
        words("Outcome"),
        words("Mode"),
        words("Revision"),
        words("Detail"),
    ];
    let mut table = Table::new("failures", "Failures of the last night", columns);
    let mut count = 0;
    for build in facts
        .builds
        .iter()
        .filter(|b| b.outcome != Outcome::Ok && night.positions.contains(&b.position))
    {
        count += 1;
        table.row(vec![
            Entry::link("build", &draft.to(&Route::Builds)),
            Entry::outcome(build.outcome),
            Entry::none(),
            revision_entry(context, draft, build.position),
            Entry::word(build.log_tail.lines().last().unwrap_or_default()),
        ]);
    }
    for cell in facts
        .readings
        .failures()
        .into_iter()
        .filter(|c| c.run == night.run)
    {
        count += 1;
        let dashboard_api::Reading::Failed { outcome, detail } = &cell.reading else {
            continue;
        };
        table.row(vec![
            Entry::link(
                cell.benchmark.clone(),
                &draft.to(&Route::Benchmark(cell.benchmark.clone())),
            ),
            Entry::outcome(*outcome),
            Entry::word(cell.variant.clone()),
            cell.position.map_or_else(
                || Entry::word("baseline"),
                |p| revision_entry(context, draft, p),
            ),
            Entry::word(detail.clone()),
        ]);
    }
    Failures(table, count)
}

fn speed(
    context: &Context<'_>,
    draft: &mut Draft,
    readings: &Readings,
    newest: i64,
) -> Result<Markup, PageError> {
    let positions = readings.positions();
    let previous = positions.iter().rev().nth(1).copied();
    let first = context.baselines().next().map(|v| v.name.clone());
    let tiles_row = match &first {
        Some(baseline) => speed_tiles(context, draft, readings, newest, baseline),
        None => {
            nothing("No baseline was measured beside the subject, so there is no speed-up to show.")
        }
    };
    let chart = match &first {
        Some(baseline) => history(context, draft, readings, &positions, baseline)?,
        None => html! {},
    };
    let table = summary_table(context, draft, readings, newest, previous);
    Ok(html! {
        section {
            h2 { "Speed at " (revision_link(context, draft, newest)) }
            (tiles_row)
            (chart)
            (table)
        }
    })
}

fn speed_tiles(
    context: &Context<'_>,
    draft: &Draft,
    readings: &Readings,
    newest: i64,
    baseline: &str,
) -> Markup {
    let all: Vec<Tile> = context
        .modes()
        .map(|mode| {
            let mean = readings.over_baseline(&context.benchmarks, &mode.name, newest, baseline);
            let href = draft.to(&Route::Speedups(baseline.to_owned()));
            let title = html! { a href=(href) { strong { (mode.name) } " over " (baseline) } };
            let (value, note) = match &mean {
                Ok(g) => (factor(g.ratio.point), html! { (interval_note(g)) }),
                Err(_) => (
                    "–".to_owned(),
                    html! { "no benchmark is valid on both sides" },
                ),
            };
            Tile {
                title,
                value,
                note,
                series: Some(context.series(&mode.name)),
            }
        })
        .collect();
    tiles(&all)
}

fn interval_note(g: &Geomean) -> String {
    let on = stands_on(g.count, &g.dropped);
    if g.ratio.has_interval() {
        format!(
            "{} to {} (95 %); geomean of {on}",
            factor(g.ratio.low),
            factor(g.ratio.high)
        )
    } else {
        format!("geomean of {on}")
    }
}

fn history(
    context: &Context<'_>,
    draft: &Draft,
    readings: &Readings,
    positions: &[i64],
    baseline: &str,
) -> Result<Markup, PageError> {
    if positions.len() < 2 {
        return Ok(nothing(
            "The chart over time begins with the second measured revision.",
        ));
    }
    let columns = columns(context, draft, positions);
    let modes: Vec<_> = context.modes().collect();
    let lines = modes
        .iter()
        .map(|mode| Line {
            name: mode.name.clone(),
            series: context.series(&mode.name),
            dash: 0.0,
            spots: positions
                .iter()
                .map(|&p| {
                    let mean = readings
                        .over_baseline(&context.benchmarks, &mode.name, p, baseline)
                        .ok()?;
                    let label = format!(
                        "{} ({})",
                        factor(mean.ratio.point),
                        stands_on(mean.count, &mean.dropped)
                    );
                    Some(Spot::Value {
                        point: mean.ratio.point,
                        low: mean.ratio.low,
                        high: mean.ratio.high,
                        label,
                    })
                })
                .collect(),
        })
        .collect();
    let chart = Timeline {
        columns,
        lines,
        changes: Vec::new(),
        y: YAxis {
            title: format!("geomean speed-up over {baseline}, log scale, higher is better"),
            format: factor_tick,
            log: true,
            reference: Some(1.0),
            bounds: None,
        },
        marked: true,
    };
    let caption = "Each point is a mean over the benchmarks that were valid on both sides at that revision; the set can differ \
                   between points, hover to see it.";
    Ok(figure(
        &chart,
        &legend_of(context, modes.iter().copied()),
        caption,
    )?)
}

/// A tick of a factor axis without needless digits.
pub(crate) fn factor_tick(v: f64) -> String {
    let rounded = (v * 100.0).round() / 100.0;
    format!("{rounded}×")
}

fn summary_table(
    context: &Context<'_>,
    draft: &mut Draft,
    readings: &Readings,
    newest: i64,
    previous: Option<i64>,
) -> Markup {
    let columns = vec![
        words("Comparison"),
        numbers("Speed-up", "ratio"),
        numbers("Low", "ratio"),
        numbers("High", "ratio"),
        numbers("Benchmarks", ""),
        words("Left out"),
    ];
    let mut table = Table::new("geomeans", "Geometric means", columns);
    let mut add = |name: String, mean: Result<Geomean, Vec<dashboard_api::Dropped>>| {
        if let Ok(g) = mean {
            let left_out: Vec<_> = g.dropped.iter().map(crate::common::dropped_text).collect();
            table.row(vec![
                Entry::word(name),
                ratio_entry(&g.ratio),
                Entry::number(g.ratio.low, factor(g.ratio.low)),
                Entry::number(g.ratio.high, factor(g.ratio.high)),
                Entry::count(g.count),
                Entry::word(if left_out.is_empty() {
                    "none".to_owned()
                } else {
                    left_out.join(", ")
                }),
            ]);
        }
    };
    for baseline in context.baselines() {
        for mode in context.modes() {
            let mean =
                readings.over_baseline(&context.benchmarks, &mode.name, newest, &baseline.name);
            add(format!("{} over {}", mode.name, baseline.name), mean);
        }
    }
    for (new, old, meaning) in [
        ("noopt", "off", "gain of the JIT"),
        ("opt", "noopt", "gain of the optimizer"),
        ("opt", "off", "both"),
    ] {
        let mean = readings.between(&context.benchmarks, (new, newest), (old, newest));
        add(format!("{new} over {old}: {meaning}"), mean);
    }
    if let Some(previous) = previous {
        for mode in context.modes() {
            let mean = readings.between(
                &context.benchmarks,
                (&mode.name, newest),
                (&mode.name, previous),
            );
            add(
                format!(
                    "{} over {} at {}",
                    mode.name,
                    mode.name,
                    context.short(previous)
                ),
                mean,
            );
        }
    }
    draft.table(table, "No two sides share a valid benchmark.")
}

fn movements(context: &Context<'_>, draft: &mut Draft, readings: &Readings) -> Markup {
    let positions = readings.positions();
    let [.., old, new] = positions[..] else {
        return html! {};
    };
    let columns = vec![
        words("Benchmark"),
        words("Mode"),
        numbers("Time", "s"),
        numbers("Before", "s"),
        numbers("Change", "%"),
    ];
    let mut rows = Vec::new();
    for benchmark in &context.benchmarks {
        for mode in context.modes() {
            let (now, before) = (
                readings.mode(&benchmark.name, &mode.name, new),
                readings.mode(&benchmark.name, &mode.name, old),
            );
            let Some(r) = ratio(before, now) else {
                continue;
            };
            if r.change() != Change::Unclear {
                rows.push((r.point.ln().abs(), benchmark, mode, now, before));
            }
        }
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut table = Table::new("movements", "Changes against the revision before", columns);
    for (_, benchmark, mode, now, before) in rows {
        table.row(vec![
            Entry::link(
                benchmark.name.clone(),
                &draft.to(&Route::Benchmark(benchmark.name.clone())),
            ),
            Entry::word(mode.name.clone()),
            crate::common::reading_entry(Metric::Steady, now),
            crate::common::reading_entry(Metric::Steady, before),
            change_entry(now, before),
        ]);
    }
    html! {
        section {
            h2 { "What moved" }
            p.lead { (revision_link(context, draft, new)) " against " (revision_link(context, draft, old)) ", where the whole 95 % interval of the \
                change lies beyond ±1 %. Candidates only: nothing here has been confirmed by a second run." }
            (draft.table(table, "No benchmark moved by more than its interval and 1 %."))
        }
    }
}

fn library(context: &Context<'_>, draft: &Draft, report: Option<&LibraryReport>) -> Markup {
    let Some(report) = report else {
        return html! { section { h2 { "CPython's library tests" } (nothing("No library tests have run yet.")) } };
    };
    let bugs = report
        .diffs
        .iter()
        .filter(|d| d.kind == dashboard_api::DiffKind::JitBug)
        .count();
    let all: Vec<Tile> = report
        .variants
        .iter()
        .filter(|v| report.reference.as_ref() != Some(*v))
        .map(|v| {
            let score: Score = report.score(v);
            Tile {
                title: html! { strong { (v) } },
                value: percent_of(score),
                note: html! { (score.passing) " of the " (score.reference) " cases that pass in "
                (report.reference.as_deref().unwrap_or("the reference")) },
                series: Some(context.series(v)),
            }
        })
        .collect();
    html! {
        section {
            h2 { a href=(draft.to(&Route::Library)) { "CPython's library tests" } " at " (revision_link(context, draft, report.position)) }
            @if report.reference.is_none() { (nothing("The reference did not run, so there is no score.")) }
            @if bugs > 0 {
                p { (pill(&format!("{bugs} JIT bug{}", if bugs == 1 { "" } else { "s" }), "fail")) " " a href=(draft.to(&Route::Library)) { "cases that pass in the interpreter and not under the JIT" } }
            } @else {
                p.fine { (pill("✓", "ok")) " No case passes in the interpreter and fails under the JIT." }
            }
            (tiles(&all))
        }
    }
}

fn recent(context: &Context<'_>, draft: &mut Draft, facts: &Facts) -> Markup {
    let baseline = context.baselines().next().map(|v| v.name.clone());
    let main = context.main_mode().map(|v| v.name.clone());
    let speed_title = match (&main, &baseline) {
        (Some(m), Some(b)) => format!("{m} over {b}"),
        _ => "Speed-up".to_owned(),
    };
    let columns = vec![
        words("Revision"),
        words("Date"),
        words("Title"),
        words("Build"),
        numbers(speed_title, "ratio"),
    ];
    let mut table = Table::new("revisions", "Newest revisions", columns);
    for revision in context.revisions.iter().rev().take(12) {
        let build = facts
            .builds
            .iter()
            .find(|b| b.position == revision.position);
        let mean = main.as_ref().zip(baseline.as_ref()).and_then(|(m, b)| {
            facts
                .readings
                .over_baseline(&context.benchmarks, m, revision.position, b)
                .ok()
        });
        table.row(vec![
            revision_entry(context, draft, revision.position),
            Entry::stamp(dashboard_api::calendar_date(revision.committed_at)),
            Entry::word(revision.title.clone()),
            build.map_or_else(Entry::none, |b| Entry::outcome(b.outcome)),
            mean.map_or_else(Entry::none, |g| ratio_entry(&g.ratio)),
        ]);
    }
    html! {
        section {
            h2 { a href=(draft.to(&Route::Commits)) { "Newest revisions" } }
            (draft.table(table, "No revision has been built yet."))
        }
    }
}
