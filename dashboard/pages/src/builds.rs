//! Builds: which revisions could be built, how long it took, how large the binary is.

use dashboard_api::{Build, Outcome, bytes, clock_time, seconds};
use maud::{Markup, html};

use crate::PageError;
use crate::common::revision_entry;
use crate::context::Context;
use crate::layout::{Content, Draft};
use crate::table::{Entry, Table, numbers, words};

const SHOWN: usize = 400;

pub(crate) fn page(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let builds = context.source.builds(&context.scope, SHOWN)?;
    let failed: Vec<&Build> = builds.iter().filter(|b| b.outcome != Outcome::Ok).collect();
    let columns = vec![
        words("Revision"),
        words("Title"),
        words("Outcome"),
        words("Built"),
        numbers("Time", "s"),
        numbers("Binary", "bytes"),
        words("Toolchain"),
    ];
    let mut table = Table::new("builds", "Builds, newest revision first", columns).with_filter();
    for build in &builds {
        table.row(vec![
            revision_entry(context, draft, build.position),
            Entry::word(
                context
                    .revision(build.position)
                    .map(|r| r.title.clone())
                    .unwrap_or_default(),
            ),
            Entry::outcome(build.outcome),
            Entry::stamp(clock_time(build.started_at)),
            build
                .wall_s
                .map_or_else(Entry::none, |s| Entry::number(s, seconds(s))),
            build
                .binary_bytes
                .map_or_else(Entry::none, |b| Entry::number(b as f64, bytes(b as f64))),
            Entry::word(build.toolchain.clone()),
        ]);
    }
    let lead = html! {
        p.lead {
            "A revision that does not build is a result like any other, with the end of its log. "
            @if builds.is_empty() { "" } @else { (builds.len()) " builds, " (failed.len()) " of them failed." }
        }
    };
    let body = html! {
        @if !failed.is_empty() {
            section { h2 { "Failed" } @for build in failed.iter().take(20) { (log(context, build)) } }
        }
        section { (draft.table(table, "Nothing has been built yet.")) }
    };
    Ok(Content {
        title: "Builds".to_owned(),
        lead,
        body,
    })
}

/// The end of a build's log, folded.
pub(crate) fn log(context: &Context<'_>, build: &Build) -> Markup {
    html! {
        details.log {
            summary {
                span.sha { (context.short(build.position)) } " "
                span class=(crate::table::pill(build.outcome)) { (build.outcome.word()) } " "
                (context.revision(build.position).map(|r| r.title.clone()).unwrap_or_default())
            }
            @if build.log_tail.is_empty() { p.empty { "No log was kept." } } @else { pre tabindex="0" { (build.log_tail) } }
        }
    }
}
