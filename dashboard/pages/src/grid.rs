//! The grid of all benchmarks x the newest revisions in one mode, coloured by change.

use dashboard_api::{Change, Metric, Reading, percent, seconds};
use maud::html;

use crate::PageError;
use crate::common::{amount, estimate_text, ratio};
use crate::context::{Context, Readings};
use crate::layout::{Content, Draft};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

const REVISIONS: usize = 24;

pub(crate) fn page(
    context: &Context<'_>,
    draft: &mut Draft,
    mode: &str,
) -> Result<Content, PageError> {
    let readings = Readings::new(context.source.recent_cells(&context.scope, REVISIONS)?);
    let positions = readings.positions();
    let mut columns = vec![words("Benchmark")];
    columns.extend(positions.iter().rev().map(|&p| {
        let column = numbers(context.short(p), "s");
        match context.revision(p) {
            Some(r) => column.linked(draft.to(&Route::Commit(r.sha.clone()))),
            None => column,
        }
    }));
    let mut table = Table::new(
        "grid",
        format!("Steady time in mode {mode}, newest revision first"),
        columns,
    )
    .with_filter()
    .with_sticky_column();
    for b in &context.benchmarks {
        let mut row = vec![Entry::link(
            b.name.clone(),
            &draft.to(&Route::Benchmark(b.name.clone())),
        )];
        for (i, &p) in positions.iter().enumerate().rev() {
            let cell = readings.mode(&b.name, mode, p);
            // Against the newest older revision that has a number, so that a gap hides no change.
            let before = positions[..i].iter().rev().find_map(|&q| {
                readings
                    .mode(&b.name, mode, q)
                    .filter(|c| c.reading.estimate().is_some())
            });
            row.push(match cell.map(|c| &c.reading) {
                None => Entry::none(),
                Some(Reading::Failed { outcome, .. }) => Entry::outcome(*outcome),
                Some(Reading::Measured { estimate }) => {
                    let change = ratio(before, cell);
                    let note = change.map_or_else(String::new, |r| format!("\n{} against the value before", percent(r.point)));
                    let title = format!("{} at {}\n{}{note}", b.name, context.short(p), estimate_text(Metric::Steady, estimate));
                    Entry::number(estimate.point, seconds(estimate.point))
                        .shown_as(html! { span title=(title) { (amount(Metric::Steady, estimate.point)) } })
                        .styled(change.map_or("", |r| shade(r.change(), r.point)))
                }
            });
        }
        table.row(row);
    }
    let lead = html! {
        p.lead {
            "Each cell is coloured by its change against the measured revision before it, when the whole 95 % interval of the change lies beyond ±1 %: "
            span.sample.w2 { "slower" } " " span.sample.b2 { "faster" } "; the deeper the larger (2 %, 10 %)."
        }
        ul.tabs aria-label="Mode" { @for m in context.modes() {
            li { a href=(draft.to(&Route::Grid(m.name.clone()))) aria-current=[(m.name == mode).then_some("true")] { (m.name) } }
        } }
    };
    let body = draft.table(table, "No benchmark has been measured yet.");
    Ok(Content {
        title: format!("Benchmarks × revisions, {mode}"),
        lead,
        body,
    })
}

fn shade(change: Change, ratio: f64) -> &'static str {
    let step = match ratio.ln().abs() {
        d if d > 0.1 => 2,
        d if d > 0.02 => 1,
        _ => 0,
    };
    match change {
        Change::Unclear => "",
        Change::Worse => ["w1", "w2", "w3"][step],
        Change::Better => ["b1", "b2", "b3"][step],
    }
}
