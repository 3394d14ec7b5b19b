//! Status: the nights, and how far the machine could be trusted when they ran.

use dashboard_api::{Canary, CanaryPair, Grade, Night, clock_time, duration};
use maud::{Markup, html};
use std::collections::BTreeMap;

use crate::PageError;
use crate::common::revision_entry;
use crate::context::Context;
use crate::layout::{Content, Draft, nothing, pill};
use crate::table::{Entry, Table, numbers, words};

const NIGHTS: usize = 60;

pub(crate) fn page(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let nights = context.source.nights(&context.scope, NIGHTS)?;
    let environment = match nights.first() {
        Some(night) => environment(context, draft, night.run)?,
        None => nothing("No night has run yet."),
    };
    let columns = vec![
        words("Started"),
        words("State"),
        words("Tier"),
        numbers("Took", "s"),
        words("Newest revision"),
        numbers("Revisions", ""),
        numbers("Cells ok", ""),
        numbers("Cells failed", ""),
        words("False alarms (A/A)"),
        words("Environment"),
        words("Platform"),
    ];
    let mut table = Table::new("nights", "Nights, newest first", columns).with_filter();
    for night in &nights {
        let failed = Entry::count(night.cells_failed);
        table.row(vec![
            Entry::stamp(clock_time(night.started_at)),
            Entry::word(night.state.clone()).shown_as(pill(
                &night.state,
                if night.state == "complete" {
                    "ok"
                } else {
                    "warn"
                },
            )),
            Entry::word(night.tier.clone()),
            night.finished_at.map_or_else(Entry::none, |end| {
                let took = (end - night.started_at) as f64;
                Entry::number(took, duration(took))
            }),
            night
                .positions
                .first()
                .map_or_else(Entry::none, |&p| revision_entry(context, draft, p)),
            Entry::count(u32::try_from(night.positions.len()).unwrap_or(u32::MAX)),
            Entry::count(night.cells_ok),
            if night.cells_failed > 0 {
                failed.styled("bad")
            } else {
                failed
            },
            night.canary.as_ref().map_or_else(Entry::none, canary_entry),
            grade_entry(night.grade),
            Entry::word(night.platform_version.clone()),
        ]);
    }
    let by_benchmark = false_alarms(&nights, draft);
    let programs = programs(context, draft);
    let lead = html! { p.lead { "Subject " strong { (context.scope.subject) } " on machine " strong { (context.scope.machine) } "." } };
    let body = html! {
        section { h2 { "Environment of the last night" } (environment) }
        section { h2 { "Modes and baselines" } (programs) }
        section { h2 { "Nights" }
            p.lead { "A false alarm is a benchmark flagged between two measurements of one build: what the platform's own verdicts were worth that night." }
            (draft.table(table, "No night has run yet.")) }
        section { h2 { "False alarms by benchmark" }
            p.lead { "One build of the newest revision measured as two, over the nights above; 1 is the truth." }
            (by_benchmark) }
    };
    Ok(Content {
        title: "Status".to_owned(),
        lead,
        body,
    })
}

fn environment(context: &Context<'_>, draft: &mut Draft, run: i64) -> Result<Markup, PageError> {
    let mut facts = context.source.environment(run)?;
    facts.sort_by(|a, b| b.grade.cmp(&a.grade).then_with(|| a.name.cmp(&b.name)));
    let mut table = Table::new(
        "environment",
        "Recorded facts, worst first",
        vec![words("Fact"), words("Value"), words("Grade"), words("Note")],
    );
    for fact in &facts {
        table.row(vec![
            Entry::word(fact.name.clone()),
            Entry::word(fact.value.clone()),
            grade_entry(fact.grade),
            Entry::word(fact.note.clone()),
        ]);
    }
    Ok(draft.table(table, "The last night stored no environment record."))
}

/// `0 of 6`, with what was flagged as a tooltip.
fn canary_entry(canary: &Canary) -> Entry {
    let text = canary.text();
    let title = canary.flagged.join(", ");
    Entry::word(text.clone()).shown_as(html! { span.nowrap title=(title) { (text) } })
}

/// How often each benchmark was flagged between two measurements of one build.
fn false_alarms(nights: &[Night], draft: &mut Draft) -> Markup {
    // The nights come newest first, and so do the pairs of each benchmark.
    let mut by_benchmark: BTreeMap<(&str, &str), Vec<&CanaryPair>> = BTreeMap::new();
    for canary in nights.iter().filter_map(|night| night.canary.as_ref()) {
        for pair in &canary.pairs {
            let key = (pair.benchmark.as_str(), pair.mode.as_str());
            by_benchmark.entry(key).or_default().push(pair);
        }
    }
    let columns = vec![
        words("Benchmark"),
        words("Mode"),
        numbers("Judged", ""),
        numbers("Flagged", ""),
        numbers("Last ratio", ""),
        words("95 % interval"),
    ];
    let mut table = Table::new("canary", "False alarms by benchmark", columns);
    for ((benchmark, mode), pairs) in by_benchmark {
        let flagged = pairs.iter().filter(|pair| pair.flagged).count();
        let last = pairs[0];
        let count = Entry::count(u32::try_from(flagged).unwrap_or(u32::MAX));
        table.row(vec![
            Entry::word(benchmark),
            Entry::word(mode),
            Entry::count(u32::try_from(pairs.len()).unwrap_or(u32::MAX)),
            if flagged > 0 {
                count.styled("warn")
            } else {
                count
            },
            Entry::number(last.ratio, format!("{:.3}", last.ratio)),
            Entry::stamp(format!("{:.3} to {:.3}", last.low, last.high)),
        ]);
    }
    draft.table(
        table,
        "No benchmark has been measured twice on one build yet.",
    )
}

fn grade_entry(grade: Grade) -> Entry {
    let class = match grade {
        Grade::Ok => "ok",
        Grade::Unknown => "",
        Grade::Warn => "warn",
        Grade::Fail => "fail",
    };
    Entry::word(grade.word()).shown_as(pill(grade.word(), class))
}

fn programs(context: &Context<'_>, draft: &mut Draft) -> Markup {
    let mut table = Table::new(
        "variants",
        "Modes and baselines",
        vec![
            words("Name"),
            words("Kind"),
            words("Meaning"),
            words("Version"),
        ],
    );
    for v in &context.variants {
        let kind = match v.role {
            dashboard_api::Role::Mode => "mode",
            dashboard_api::Role::Stress => "mode, not timed",
            dashboard_api::Role::Baseline => "baseline",
        };
        table.row(vec![
            Entry::word(v.name.clone()),
            Entry::word(kind),
            Entry::word(v.description.clone()),
            v.version.clone().map_or_else(Entry::none, Entry::word),
        ]);
    }
    draft.table(table, "No mode is known yet.")
}
