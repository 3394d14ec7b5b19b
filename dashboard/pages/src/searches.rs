//! Searches: which commit did it, how the probability moved from try to try, and what was found beyond the commit.

use dashboard_api::{Revision, Search, clock_time, duration, percent, seconds};
use dashboard_charts::{SearchChart, SearchCommit, Try};
use maud::{Markup, html};

use crate::PageError;
use crate::context::Context;
use crate::layout::{Content, Draft, Key, Tile, figure, legend, pill, tiles};
use crate::route::Route;
use crate::table::{Entry, Table, numbers, words};

pub(crate) fn list(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let searches = context.source.searches(&context.scope)?;
    let columns = vec![
        words("Search"),
        words("For"),
        words("Mode"),
        words("Answer"),
        words("Commit"),
        numbers("Probability", ""),
        numbers("Runs", ""),
        words("Begun"),
    ];
    let mut table = Table::new("searches", "Searches, newest first", columns).with_filter();
    for search in &searches {
        table.row(vec![
            Entry::link(
                format!("#{}", search.id),
                &draft.to(&Route::Search(search.id)),
            ),
            Entry::word(sought(search)),
            search.mode.clone().map_or_else(Entry::none, Entry::word),
            Entry::word(answer_word(search)),
            search
                .culprit
                .as_ref()
                .map_or_else(Entry::none, |r| revision(context, draft, r)),
            search
                .posterior
                .map_or_else(Entry::none, |p| Entry::number(p, format!("{p:.3}"))),
            Entry::count(search.steps.len() as u32),
            Entry::stamp(clock_time(search.created_at)),
        ]);
    }
    Ok(Content {
        title: "Searches".to_owned(),
        lead: html! { p.lead {
            "`nightjar bisect` looks for the commit behind a slowdown, a failing test or a wrong result. It measures both ends first, goes on with the commit "
            "that tells most, and may answer that there is no difference or that it cannot tell."
        } },
        body: html! { section { (draft.table(table, "No search has been made yet.")) } },
    })
}

pub(crate) fn one(
    context: &Context<'_>,
    draft: &mut Draft,
    search: &Search,
) -> Result<Content, PageError> {
    let chart = figure(
        &chart(context, draft, search),
        &legend(&keys(search)),
        "Each mark is one run of one commit; the bars show how probable it is after the last run that a commit brought the change.",
    )?;
    let steps = steps_table(context, draft, search);
    let lead = html! {
        p.lead { strong { (sought(search)) } @if let Some(mode) = &search.mode { " in " (mode) } }
        p.lead {
            "Good: " (link(context, draft, &search.good)) ", bad: " (link(context, draft, &search.bad)) ". Begun "
            (clock_time(search.created_at))
            @if let Some(end) = search.finished_at { ", took " (duration((end - search.created_at) as f64)) }
            "."
        }
    };
    let body = html! {
        section {
            h2 { (answer_word(search)) }
            (answer(context, draft, search))
            (chart)
            (draft.table(steps, "Nothing was tried yet."))
        }
    };
    Ok(Content {
        title: format!("Search #{}", search.id),
        lead,
        body,
    })
}

fn sought(search: &Search) -> String {
    match search.kind.as_str() {
        "perf" if search.metric == "instructions" => format!("instructions of {}", search.target),
        "perf" => format!("time of {}", search.target),
        "test" => format!("failing {}", search.target),
        "wrong" => format!("wrong result of {}", search.target),
        other => format!("{other} {}", search.target),
    }
}

fn answer_word(search: &Search) -> &'static str {
    match search.state.as_str() {
        "found" => "Found",
        "no-difference" => "No difference",
        "cannot-tell" => "Cannot tell",
        "interrupted" => "Interrupted",
        _ => "Running",
    }
}

fn answer(context: &Context<'_>, draft: &Draft, search: &Search) -> Markup {
    let mut parts = Vec::new();
    if let Some(revision) = &search.culprit {
        let note = search
            .posterior
            .map_or_else(String::new, |p| format!("probability {p:.3}; "));
        parts.push(Tile {
            title: html! { "Commit" },
            value: revision.short().to_owned(),
            note: html! { (note) (link(context, draft, revision)) " " (revision.title) " (" (revision.author) ")" },
            series: None,
        });
    }
    if let Some(ratio) = ends_ratio(search) {
        parts.push(Tile {
            title: html! { "Bad end against good end" },
            value: percent(ratio),
            note: html! { "geometric means of the runs at both ends" },
            series: None,
        });
    }
    if let Some(pass) = &search.pass {
        parts.push(Tile {
            title: html! { "Optimization pass" },
            value: pass.clone(),
            note: html! { "without it all is well" },
            series: None,
        });
    }
    if let Some(trace) = search.trace {
        parts.push(Tile {
            title: html! { "Trace" },
            value: format!("#{trace}"),
            note: html! { "the first that makes it wrong" },
            series: None,
        });
    }
    html! {
        @match search.state.as_str() {
            "no-difference" => p { (pill("no difference", "ok")) " The two ends do not differ by the rule of every verdict, so nobody is to blame." },
            "cannot-tell" => p { (pill("cannot tell", "warn")) " No commit became probable enough, or the verification against its parent failed." },
            "interrupted" => p { (pill("interrupted", "warn")) " The same command goes on where it was." },
            _ => {}
        }
        (tiles(&parts))
    }
}

/// Geometric mean of the values at the bad end over that at the good one.
fn ends_ratio(search: &Search) -> Option<f64> {
    let mean = |position: i64| {
        let logs: Vec<f64> = search
            .steps
            .iter()
            .filter(|step| step.position == position)
            .filter_map(|step| Some(step.value?.ln()))
            .collect();
        (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
    };
    Some((mean(search.bad.position)? - mean(search.good.position)?).exp())
}

fn keys(search: &Search) -> Vec<Key> {
    let key = |name: &str, series, note: &str| Key {
        name: name.to_owned(),
        series,
        note: note.to_owned(),
    };
    let mut keys = Vec::new();
    if search.steps.iter().any(|step| step.value.is_some()) {
        keys.push(key("run", 2, "one process"));
    }
    keys.push(key("probability", 1, "after the last run"));
    keys
}

fn is_count(search: &Search) -> bool {
    search.metric == "instructions"
}

fn amount(value: f64) -> String {
    seconds(value * 1e-9)
}

fn count(value: f64) -> String {
    format!("{:.4} M", value * 1e-6)
}

fn chart(context: &Context<'_>, draft: &Draft, search: &Search) -> SearchChart {
    let last = search
        .steps
        .last()
        .map(|step| step.suspects.as_slice())
        .unwrap_or_default();
    let commits = search.commits.iter().map(|revision| SearchCommit {
        place: (revision.position - search.good.position) as f64,
        title: format!("{} {}", revision.short(), revision.title),
        href: href(context, draft, revision),
        tries: search
            .steps
            .iter()
            .filter(|step| step.position == revision.position)
            .map(|step| match (step.value, step.verdict.as_str()) {
                (Some(value), _) => Try::Value(value),
                (None, "good") => Try::Good,
                (None, "bad") => Try::Bad,
                (None, _) => Try::Untried,
            })
            .collect(),
        probability: last
            .iter()
            .find(|(position, _)| *position == revision.position)
            .map_or(0.0, |(_, probability)| *probability),
        blamed: search
            .culprit
            .as_ref()
            .is_some_and(|c| c.position == revision.position),
    });
    SearchChart {
        commits: commits.collect(),
        span: (search.bad.position - search.good.position) as f64,
        values: if is_count(search) {
            "instructions"
        } else {
            "time of an iteration"
        }
        .to_owned(),
        format: if is_count(search) { count } else { amount },
    }
}

fn steps_table(context: &Context<'_>, draft: &Draft, search: &Search) -> Table {
    let unit = if is_count(search) { "count" } else { "ns" };
    let columns = vec![
        numbers("Run", ""),
        words("Commit"),
        words("Title"),
        numbers("Value", unit),
        words("Seen"),
        words("Most probable then"),
        numbers("Probability", ""),
    ];
    let mut table = Table::new("steps", "Runs in order", columns);
    let known = |position: i64| search.commits.iter().find(|r| r.position == position);
    for (n, step) in search.steps.iter().enumerate() {
        let tried = known(step.position);
        let best = step.suspects.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let seen = match (step.said.is_empty(), step.verdict.as_str()) {
            (false, _) => step.said.clone(),
            (true, "unsure") => String::new(),
            (true, word) => word.to_owned(),
        };
        let format = if is_count(search) { count } else { amount };
        table.row(vec![
            Entry::count(n as u32 + 1),
            tried.map_or_else(Entry::none, |r| revision(context, draft, r)),
            tried.map_or_else(Entry::none, |r| Entry::word(r.title.clone())),
            step.value
                .map_or_else(Entry::none, |v| Entry::number(v, format(v))),
            Entry::word(seen),
            best.and_then(|(position, _)| known(*position))
                .map_or_else(Entry::none, |r| revision(context, draft, r)),
            best.map_or_else(Entry::none, |(_, p)| Entry::number(*p, format!("{p:.3}"))),
        ]);
    }
    table
}

/// A revision's page exists only if it was built on this machine.
fn href(context: &Context<'_>, draft: &Draft, revision: &Revision) -> Option<String> {
    context
        .revisions
        .iter()
        .any(|known| known.sha == revision.sha)
        .then(|| draft.to(&Route::Commit(revision.sha.clone())))
}

fn link(context: &Context<'_>, draft: &Draft, revision: &Revision) -> Markup {
    html! {
        @match href(context, draft, revision) {
            Some(href) => a.sha href=(href) title=(revision.title) { (revision.short()) },
            None => code title=(revision.title) { (revision.short()) },
        }
    }
}

fn revision(context: &Context<'_>, draft: &Draft, revision: &Revision) -> Entry {
    Entry::word(revision.sha.clone()).shown_as(link(context, draft, revision))
}
