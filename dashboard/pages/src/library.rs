//! CPython's library tests: what the JIT breaks first, then scores by module and mode.

use dashboard_api::{CaseDiff, CaseOutcome, DiffKind, LibraryReport, ModuleScore, Score};
use dashboard_charts::{OutcomeBars, OutcomeRow};
use maud::{Markup, PreEscaped, html};

use crate::PageError;
use crate::common::revision_link;
use crate::context::Context;
use crate::layout::{Content, Draft, figure, nothing, pill};
use crate::table::{Entry, Table, numbers, words};

pub(crate) fn page(context: &Context<'_>, draft: &mut Draft) -> Result<Content, PageError> {
    let title = "CPython's library tests".to_owned();
    let newest = context
        .source
        .library_positions(&context.scope)?
        .last()
        .copied();
    let report = match newest {
        Some(position) => context.source.library(&context.scope, position)?,
        None => None,
    };
    let Some(report) = report else {
        return Ok(Content {
            title,
            lead: html! {},
            body: nothing("No library tests have run yet."),
        });
    };
    let lead = html! {
        p.lead {
            "The unmodified tests of CPython's standard library at " (revision_link(context, draft, report.position)) ". "
            @match &report.reference {
                Some(reference) => { "The score is the share of the cases passing in " strong { (reference) } " that pass here too." },
                None => { "The reference did not run that night, so there are outcomes but no score." },
            }
        }
    };
    let body = section(draft, &report)?;
    Ok(Content { title, lead, body })
}

/// Everything about one report; used here and on a revision's page.
pub(crate) fn section(draft: &mut Draft, report: &LibraryReport) -> Result<Markup, PageError> {
    Ok(html! {
        section {
            h2 { "JIT bugs" }
            (diff_table(draft, report, DiffKind::JitBug, "jit-bugs", "Cases that pass in the interpreter and not under the JIT",
                "No case passes in the interpreter and fails under the JIT."))
        }
        section {
            h2 { "Outcomes by mode" }
            (bars(report)?)
            (mode_table(draft, report))
        }
        section {
            h2 { "Regressions" }
            (diff_table(draft, report, DiffKind::Regression, "regressions", "Cases that passed at the revision before",
                "No case that passed before fails now."))
        }
        section {
            h2 { "Flaky" }
            (diff_table(draft, report, DiffKind::Flaky, "flaky", "Cases with both outcomes on one build",
                "No case had both outcomes on one build."))
        }
        section {
            h2 { "By module" }
            (module_table(draft, report))
        }
    })
}

/// `97.3 %`, rounded down so that only a full score reads as 100 %.
pub(crate) fn percent_of(score: Score) -> String {
    score.share().map_or_else(
        || "–".to_owned(),
        |share| format!("{:.1} %", (share * 1000.0).floor() / 10.0),
    )
}

fn bars(report: &LibraryReport) -> Result<Markup, PageError> {
    let rows = report
        .variants
        .iter()
        .map(|variant| {
            let counts = report.counts(variant);
            let reference = report.reference.as_ref() == Some(variant);
            OutcomeRow {
                name: variant.clone(),
                note: if reference {
                    "reference".to_owned()
                } else {
                    percent_of(report.score(variant))
                },
                counts: CaseOutcome::ALL.iter().map(|&o| counts.get(o)).collect(),
            }
        })
        .collect();
    let chart = OutcomeBars {
        outcomes: CaseOutcome::ALL
            .iter()
            .map(|o| o.word().to_owned())
            .collect(),
        rows,
    };
    let legend = html! {
        ul.legend { @for (i, outcome) in CaseOutcome::ALL.iter().enumerate() {
            li { span class={ "swatch o" (i) } {} (outcome.word()) }
        } }
    };
    Ok(figure(
        &chart,
        &legend,
        "Cases that were reached; modules that did not load have none.",
    )?)
}

fn mode_table(draft: &mut Draft, report: &LibraryReport) -> Markup {
    let mut columns = vec![
        words("Mode"),
        numbers("Score", "share"),
        numbers("Passing", ""),
        numbers("Of reference", ""),
    ];
    columns.extend(CaseOutcome::ALL.iter().map(|o| numbers(o.word(), "")));
    columns.push(numbers("Modules not loaded", ""));
    let mut table = Table::new("modes", "Outcomes by mode", columns).with_sticky_column();
    for variant in &report.variants {
        let (score, counts) = (report.score(variant), report.counts(variant));
        let mut row = vec![
            Entry::word(variant.clone()),
            score_entry(score),
            Entry::count(score.passing),
            Entry::count(score.reference),
        ];
        row.extend(
            CaseOutcome::ALL
                .iter()
                .map(|&o| Entry::count(counts.get(o))),
        );
        row.push(Entry::count(
            u32::try_from(report.not_loaded(variant)).unwrap_or(u32::MAX),
        ));
        table.row(row);
    }
    draft.table(table, "No mode ran the tests.")
}

fn score_entry(score: Score) -> Entry {
    score
        .share()
        .map_or_else(Entry::none, |share| Entry::number(share, percent_of(score)))
}

fn diff_table(
    draft: &mut Draft,
    report: &LibraryReport,
    kind: DiffKind,
    id: &'static str,
    caption: &str,
    empty: &str,
) -> Markup {
    let columns = vec![
        words("Module"),
        words("Outcomes"),
        words("Case"),
        words("Detail"),
    ];
    let mut table = Table::new(id, caption, columns).with_filter();
    for diff in report.diffs.iter().filter(|d| d.kind == kind) {
        table.row(vec![
            Entry::word(diff.module.clone()),
            outcomes_entry(diff),
            Entry::word(diff.case.clone()).styled("code"),
            Entry::word(diff.detail.clone()).styled("detail"),
        ]);
    }
    if table.is_empty() {
        html! { p.fine { (pill("✓", "ok")) " " (empty) } }
    } else {
        draft.table(table, empty)
    }
}

fn outcomes_entry(diff: &CaseDiff) -> Entry {
    let text: Vec<String> = diff
        .outcomes
        .iter()
        .map(|(v, o)| format!("{v}: {}", o.word()))
        .collect();
    Entry::word(text.join("; ")).shown_as(html! {
        @for (variant, outcome) in &diff.outcomes {
            span class={ "pill " (outcome_class(*outcome)) } { (variant) ": " (outcome.word()) } " "
        }
    })
}

fn outcome_class(outcome: CaseOutcome) -> &'static str {
    match outcome {
        CaseOutcome::Pass | CaseOutcome::Xfail => "ok",
        CaseOutcome::Skip => "",
        CaseOutcome::Xpass
        | CaseOutcome::Fail
        | CaseOutcome::Error
        | CaseOutcome::Timeout
        | CaseOutcome::Crash => "fail",
    }
}

fn module_table(draft: &mut Draft, report: &LibraryReport) -> Markup {
    let modes: Vec<&String> = report
        .variants
        .iter()
        .filter(|v| report.reference.as_ref() != Some(*v))
        .collect();
    let mut columns = vec![words("Module"), numbers("Passing in reference", "")];
    columns.extend(modes.iter().map(|m| numbers(m.as_str(), "share")));
    columns.push(words("Not loaded because"));
    let mut table = Table::new("modules", "Score by module", columns)
        .with_filter()
        .with_sticky_column();
    let mut names: Vec<&str> = report.modules.iter().map(|m| m.module.as_str()).collect();
    names.dedup();
    for name in names {
        let rows: Vec<&ModuleScore> = report.modules.iter().filter(|m| m.module == name).collect();
        let of = |variant: &str| rows.iter().find(|m| m.variant == variant);
        let reference = rows.iter().map(|m| m.score.reference).max().unwrap_or(0);
        let mut row = vec![Entry::word(name), Entry::count(reference)];
        row.extend(
            modes
                .iter()
                .map(|m| of(m).map_or_else(Entry::none, |m| module_entry(m))),
        );
        let reason = rows
            .iter()
            .find_map(|m| m.not_loaded.clone())
            .unwrap_or_default();
        row.push(Entry::word(reason).styled("detail"));
        table.row(row);
    }
    draft.table(table, "No module ran.")
}

fn module_entry(row: &ModuleScore) -> Entry {
    if row.not_loaded.is_some() {
        return Entry::word("not loaded").styled("bad");
    }
    let total = row.counts.total().max(1);
    let mut x = 0.0;
    let mut bar = String::from(
        "<svg class=\"stack\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
    );
    for (i, &outcome) in CaseOutcome::ALL.iter().enumerate() {
        let width = f64::from(row.counts.get(outcome)) / f64::from(total) * 100.0;
        if width > 0.0 {
            bar.push_str(&format!(
                "<rect class=\"o{i}\" x=\"{x:.2}\" y=\"0\" width=\"{width:.2}\" height=\"8\"/>"
            ));
            x += width;
        }
    }
    bar.push_str("</svg>");
    let counts: Vec<String> = CaseOutcome::ALL
        .iter()
        .filter(|&&o| row.counts.get(o) > 0)
        .map(|&o| format!("{} {}", row.counts.get(o), o.word()))
        .collect();
    let shown = html! { span.scored title=(counts.join(", ")) { (percent_of(row.score)) (PreEscaped(bar)) } };
    row.score.share().map_or_else(
        || Entry::word("no reference").styled("muted"),
        |share| Entry::number(share, percent_of(row.score)).shown_as(shown),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_is_not_a_hundred_percent() {
        assert_eq!(
            percent_of(Score {
                passing: 9999,
                reference: 10000
            }),
            "99.9 %"
        );
        assert_eq!(
            percent_of(Score {
                passing: 3,
                reference: 3
            }),
            "100.0 %"
        );
        assert_eq!(
            percent_of(Score {
                passing: 0,
                reference: 0
            }),
            "–"
        );
    }
}
