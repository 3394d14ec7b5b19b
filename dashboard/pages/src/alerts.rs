//! Alerts: what a night found between neighbouring commits, and what became of it.

use dashboard_api::{Alert, clock_time, percent};
use maud::html;

use crate::PageError;
use crate::common::revision_entry;
use crate::compare;
use crate::context::Context;
use crate::layout::{Content, Draft};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

/// The size of a change, leading to the comparison of its neighbours where there is one.
fn change(context: &Context<'_>, draft: &Draft, alert: &Alert, pairs: &[(i64, i64)]) -> Entry {
    let shown = percent(alert.ratio);
    let route = pairs
        .contains(&(alert.low, alert.high))
        .then(|| compare::route(context, alert.low, alert.high))
        .flatten();
    let entry = if alert.ratio.is_finite() {
        Entry::number((alert.ratio - 1.0) * 100.0, shown.clone())
    } else {
        Entry::word("from 0")
    };
    match route {
        Some(route) => entry.shown_as(html! { a href=(draft.to(&route)) { (shown) } }),
        None => entry,
    }
    .styled(if alert.ratio > 1.0 { "worse" } else { "better" })
}

/// What an alert is about, in words.
fn measured(metric: &str) -> String {
    match metric {
        "wall" => "time".to_owned(),
        other => other.trim_start_matches("counter:").to_owned(),
    }
}

pub(crate) fn page(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let alerts = context.source.alerts(&context.scope)?;
    let pairs = context.source.neighbours(&context.scope, compare::PAIRS)?;
    let (open, closed): (Vec<&Alert>, Vec<&Alert>) = alerts.iter().partition(|alert| alert.is_open);
    let shown = |draft: &mut Draft, id, title: &str, alerts: &[&Alert]| {
        let columns = vec![
            words("State"),
            words("Benchmark"),
            words("Measured"),
            numbers("Change", "%"),
            words("Modes"),
            words("Moved"),
            words("Counter"),
            words("Last before"),
            words("First after"),
            words("Found"),
            words("Undone by"),
        ];
        let mut table = Table::new(id, title, columns).with_filter();
        for alert in alerts {
            let short = alert
                .benchmark
                .rsplit('/')
                .next()
                .unwrap_or(&alert.benchmark);
            let benchmark = match context.benchmarks.iter().find(|b| b.name == short) {
                Some(b) => {
                    Entry::link(b.name.clone(), &draft.to(&Route::Benchmark(b.name.clone())))
                }
                None => Entry::word(alert.benchmark.clone()),
            };
            table.row(vec![
                Entry::word(alert.state.clone()),
                benchmark,
                Entry::word(measured(&alert.metric)),
                change(context, draft, alert, &pairs),
                Entry::word(alert.modes.join(", ")),
                alert.moved.clone().map_or_else(Entry::none, Entry::word),
                alert.counter.clone().map_or_else(Entry::none, Entry::word),
                revision_entry(context, draft, alert.low),
                revision_entry(context, draft, alert.high),
                Entry::stamp(clock_time(alert.created_at)),
                match alert.fixed {
                    Some(position) => revision_entry(context, draft, position),
                    None => Entry::none(),
                },
            ]);
        }
        table
    };
    let open_table = shown(draft, "open", "Open alerts, newest first", &open);
    let closed_table = shown(draft, "closed", "Closed alerts, newest first", &closed);
    let lead = html! {
        p.lead {
            "Neighbouring revisions measured in one night that differ by the rule of every verdict. A provisional alert waits for "
            "its confirmation run, in which both sides are measured anew; nothing else makes it confirmed. A confirmed one is fixed when "
            "the head, measured beside the last revision before it, is back where that was. Faster counts like slower."
        }
    };
    let body = html! {
        section { h2 { "Open" } (draft.table(open_table, "No open alert.")) }
        @if !closed.is_empty() {
            section { h2 { "Closed" } (draft.table(closed_table, "No closed alert.")) }
        }
    };
    Ok(Content {
        title: "Alerts".to_owned(),
        lead,
        body,
    })
}
