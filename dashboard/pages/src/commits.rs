//! The list of revisions, and everything known about one of them.

use dashboard_api::{Metric, Outcome, Revision, bytes, clock_time, seconds};
use maud::{Markup, html};

use crate::PageError;
use crate::common::{change_entry, reading_entry, revision_entry, revision_link};
use crate::context::{Context, Readings};
use crate::layout::{Content, Draft, nothing};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};
use crate::{builds, compare, library, speedups};

pub(crate) fn list(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let builds = context.source.builds(&context.scope, usize::MAX)?;
    let tested = context.source.library_positions(&context.scope)?;
    let columns = vec![
        words("Revision"),
        words("Date"),
        words("Title"),
        words("Author"),
        words("Build"),
        words("Library tests"),
    ];
    let mut table = Table::new("commits", "Revisions, newest first", columns).with_filter();
    for r in context.revisions.iter().rev() {
        let build = builds.iter().find(|b| b.position == r.position);
        table.row(vec![
            revision_entry(context, draft, r.position),
            Entry::stamp(dashboard_api::calendar_date(r.committed_at)),
            Entry::word(r.title.clone()),
            Entry::word(r.author.clone()),
            build.map_or_else(Entry::none, |b| Entry::outcome(b.outcome)),
            if tested.binary_search(&r.position).is_ok() {
                Entry::word("yes")
            } else {
                Entry::none()
            },
        ]);
    }
    let lead =
        html! { p.lead { "In first-parent order; only revisions with a build or a result." } };
    let body = draft.table(table, "No revision has been built yet.");
    Ok(Content {
        title: "Revisions".to_owned(),
        lead,
        body,
    })
}

pub(crate) fn one(
    context: &Context<'_>,
    draft: &mut Draft,
    revision: &Revision,
) -> Result<Content, PageError> {
    let position = revision.position;
    let at = context
        .revisions
        .binary_search_by_key(&position, |r| r.position)
        .unwrap_or(0);
    let (older, newer) = (
        at.checked_sub(1).and_then(|i| context.revisions.get(i)),
        context.revisions.get(at + 1),
    );
    let readings = Readings::new(context.source.revision_cells(
        &context.scope,
        position,
        Metric::Steady,
    )?);
    let measured = context.source.measured_positions(&context.scope)?;
    let before_at = measured.iter().rev().find(|&&p| p < position).copied();
    let before = match before_at {
        Some(p) => Readings::new(context.source.revision_cells(
            &context.scope,
            p,
            Metric::Steady,
        )?),
        None => Readings::default(),
    };
    let tests = context.source.library(&context.scope, position)?;
    // Older ones are in no pair; asking for each of years of revisions would take long.
    let pairs = if at + 4 * compare::PAIRS >= context.revisions.len() {
        context.source.neighbours(&context.scope, compare::PAIRS)?
    } else {
        Vec::new()
    };
    let pair = pairs
        .iter()
        .find(|(_, new)| *new == position)
        .and_then(|(old, new)| compare::route(context, *old, *new));
    let lead = html! {
        p.lead { strong { (revision.title) } }
        p.lead {
            (revision.author) ", " (clock_time(revision.committed_at)) ". Full id " code { (revision.sha) } "."
        }
        p.steps {
            @if let Some(r) = older { "Before: " (revision_link(context, draft, r.position)) " " span.muted { (r.title) } }
            @if older.is_some() && newer.is_some() { br; }
            @if let Some(r) = newer { "After: " (revision_link(context, draft, r.position)) " " span.muted { (r.title) } }
            @if let Some(route) = &pair { br; a href=(draft.to(route)) { "Compared, benchmark by benchmark, with the revision measured before it" } }
        }
    };
    let body = html! {
        (build_section(context, position)?)
        (speed_section(context, draft, (&readings, position), (&before, before_at))?)
        @match &tests {
            Some(report) => { h2.part { "CPython's library tests" } (library::section(draft, report)?) },
            None => { section { h2 { "CPython's library tests" } (nothing("They did not run at this revision.")) } },
        }
    };
    Ok(Content {
        title: format!("Revision {}", revision.short()),
        lead,
        body,
    })
}

fn build_section(context: &Context<'_>, position: i64) -> Result<Markup, PageError> {
    let build = context.source.build(&context.scope, position)?;
    Ok(html! {
        section {
            h2 { "Build" }
            @match &build {
                None => (nothing("This revision was not built.")),
                Some(build) => {
                    p {
                        span class=(crate::table::pill(build.outcome)) { (build.outcome.word()) } " "
                        (clock_time(build.started_at))
                        @if let Some(s) = build.wall_s { ", took " (seconds(s)) }
                        @if let Some(b) = build.binary_bytes { ", binary " (bytes(b as f64)) }
                        ", " (build.toolchain)
                    }
                    @if build.outcome != Outcome::Ok { (builds::log(context, build)) }
                }
            }
        }
    })
}

fn speed_section(
    context: &Context<'_>,
    draft: &mut Draft,
    (readings, position): (&Readings, i64),
    (before, before_at): (&Readings, Option<i64>),
) -> Result<Markup, PageError> {
    if readings.is_empty() {
        return Ok(
            html! { section { h2 { "Speed" } (nothing("No benchmark was measured at this revision.")) } },
        );
    }
    let bars = match context.baselines().next() {
        Some(baseline) => {
            let name = baseline.name.clone();
            html! { h2 { "Speed-up over " (name) } (speedups::section(context, draft, readings, position, &name)?) }
        }
        None => html! { h2 { "Speed" } },
    };
    let caption = match before_at {
        Some(p) => format!(
            "Steady times and change against {}, measured before",
            context.short(p)
        ),
        None => "Steady times".to_owned(),
    };
    let mut columns = vec![words("Benchmark")];
    for m in context.modes() {
        columns.push(numbers(m.name.clone(), "s"));
        columns.push(numbers(format!("{} v. before", m.name), "%"));
    }
    let mut table = Table::new("times", caption, columns)
        .with_filter()
        .with_sticky_column();
    for b in &context.benchmarks {
        let mut row = vec![Entry::link(
            b.name.clone(),
            &draft.to(&Route::Benchmark(b.name.clone())),
        )];
        for m in context.modes() {
            let cell = readings.mode(&b.name, &m.name, position);
            let old = before_at.and_then(|p| before.mode(&b.name, &m.name, p));
            row.push(reading_entry(Metric::Steady, cell));
            row.push(change_entry(cell, old));
        }
        table.row(row);
    }
    Ok(
        html! { section { (bars) (draft.table(table, "No benchmark was measured at this revision.")) } },
    )
}
