//! Parts that several pages share: revision links, readings as cells, lists of what a mean left out.

use dashboard_api::{
    Cell, Change, Dropped, Estimate, Metric, Ratio, bytes, factor, percent, seconds,
};
use dashboard_charts::{ChartError, Column, Timeline};
use maud::{Markup, html};

use crate::context::Context;
use crate::layout::{Draft, Key, figures, inline, legend};
use crate::route::Route;
use crate::table::Entry;

/// A value of a metric for readers.
pub(crate) fn amount(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Steady | Metric::First => seconds(value),
        Metric::PeakRss => bytes(value),
        Metric::Instructions => dashboard_api::count(value),
    }
}

/// `8.21 ms (8.10 ms to 8.31 ms, 10 processes)`.
pub(crate) fn estimate_text(metric: Metric, e: &Estimate) -> String {
    let processes = if e.processes == 1 {
        "1 process".to_owned()
    } else {
        format!("{} processes", e.processes)
    };
    if e.high > e.low {
        let (point, low, high) = (
            amount(metric, e.point),
            amount(metric, e.low),
            amount(metric, e.high),
        );
        format!("{point} ({low} to {high}, {processes})")
    } else {
        format!("{} (no interval, {processes})", amount(metric, e.point))
    }
}

/// A reading as a table cell: value with its interval as tooltip, failure, or dash.
pub(crate) fn reading_entry(metric: Metric, cell: Option<&Cell>) -> Entry {
    let Some(cell) = cell else {
        return Entry::none();
    };
    match (cell.reading.estimate(), cell.reading.failure()) {
        (Some(e), _) => {
            let shown = amount(metric, e.point);
            let title = estimate_text(metric, e);
            Entry::number(e.point, shown.clone()).shown_as(html! { span title=(title) { (shown) } })
        }
        (None, Some(outcome)) => Entry::outcome(outcome),
        (None, None) => Entry::none(),
    }
}

/// The speed-up of one cell over another as a table cell.
pub(crate) fn speedup_entry(new: Option<&Cell>, old: Option<&Cell>) -> Entry {
    if let Some(outcome) = new.and_then(|c| c.reading.failure()) {
        return Entry::outcome(outcome);
    }
    match ratio(new, old) {
        Some(r) => ratio_entry(&r),
        None => Entry::none(),
    }
}

/// `old / new`, where both are numbers.
pub(crate) fn ratio(new: Option<&Cell>, old: Option<&Cell>) -> Option<Ratio> {
    Ratio::of(old?.reading.estimate()?, new?.reading.estimate()?)
}

pub(crate) fn ratio_entry(r: &Ratio) -> Entry {
    Entry::number(r.point, factor(r.point))
        .shown_as(html! { span title=(ratio_text(r)) { (factor(r.point)) } })
}

/// `12.3×, 12.1× to 12.5× (95 %)`.
pub(crate) fn ratio_text(r: &Ratio) -> String {
    if r.has_interval() {
        format!(
            "{}\n95 % interval {} to {}",
            factor(r.point),
            factor(r.low),
            factor(r.high)
        )
    } else {
        format!("{}\nno interval: one process on a side", factor(r.point))
    }
}

/// A change of time against an earlier value: new over old, as a percentage with its judgement.
pub(crate) fn change_entry(new: Option<&Cell>, old: Option<&Cell>) -> Entry {
    let Some(r) = ratio(old, new) else {
        return Entry::none();
    };
    let class = match r.change() {
        Change::Better => "better",
        Change::Worse => "worse",
        Change::Unclear => "muted",
    };
    let title = if r.has_interval() {
        format!("95 % interval {} to {}", percent(r.low), percent(r.high))
    } else {
        "no interval: one process on a side".to_owned()
    };
    Entry::number((r.point - 1.0) * 100.0, percent(r.point))
        .shown_as(html! { span title=(title) { (percent(r.point)) } })
        .styled(class)
}

/// A table cell that leads to a revision.
pub(crate) fn revision_entry(context: &Context<'_>, draft: &Draft, position: i64) -> Entry {
    match context.revision(position) {
        Some(r) => {
            let href = draft.to(&Route::Commit(r.sha.clone()));
            Entry::word(r.sha.clone())
                .shown_as(html! { a.sha href=(href) title=(r.title) { (r.short()) } })
        }
        None => Entry::word(context.short(position)),
    }
}

/// A link to a revision in running text.
pub(crate) fn revision_link(context: &Context<'_>, draft: &Draft, position: i64) -> Markup {
    match context.revision(position) {
        Some(r) => {
            html! { a.sha href=(draft.to(&Route::Commit(r.sha.clone()))) title=(r.title) { (r.short()) } }
        }
        None => html! { (context.short(position)) },
    }
}

/// The legend of some variants.
pub(crate) fn legend_of<'a>(
    context: &Context<'_>,
    variants: impl IntoIterator<Item = &'a dashboard_api::Variant>,
) -> Markup {
    let keys: Vec<Key> = variants
        .into_iter()
        .map(|v| Key {
            name: v.name.clone(),
            series: context.series(&v.name),
            note: v.description.clone(),
        })
        .collect();
    legend(&keys)
}

/// `5 of 6 benchmarks; without a (crash), b (baseline: timeout), c (not measured)`.
pub(crate) fn stands_on(count: u32, dropped: &[Dropped]) -> String {
    let all = count as usize + dropped.len();
    if dropped.is_empty() {
        return format!("all {all} benchmarks");
    }
    let names: Vec<String> = dropped.iter().map(dropped_text).collect();
    format!("{count} of {all} benchmarks; without {}", names.join(", "))
}

pub(crate) fn dropped_text(d: &Dropped) -> String {
    let side = if d.on_baseline { "baseline " } else { "" };
    let why = d
        .outcome
        .map_or("not measured", dashboard_api::Outcome::word);
    format!("{} ({side}{why})", d.benchmark)
}

/// The columns of a figure over revisions. A few are named by their ids, as a night's revisions are often of one day;
/// more by their dates.
pub(crate) fn columns(context: &Context<'_>, draft: &Draft, positions: &[i64]) -> Vec<Column> {
    positions
        .iter()
        .map(|&position| match context.revision(position) {
            Some(r) => Column {
                label: if positions.len() <= FEW {
                    r.short().to_owned()
                } else {
                    axis_date(r.committed_at)
                },
                title: format!(
                    "{} of {}",
                    r.short(),
                    dashboard_api::calendar_date(r.committed_at)
                ),
                href: Some(draft.to(&Route::Commit(r.sha.clone()))),
            },
            None => Column {
                label: String::new(),
                title: context.short(position),
                href: None,
            },
        })
        .collect()
}

const FEW: usize = 10;

/// How many revisions a figure shows in which every one answers to the pointer.
const WINDOW: usize = 120;
const NARROW_WINDOW: usize = 40;

/// A figure over revisions: the newest in detail and, when there are more and `with_history` says so, all in small.
pub(crate) fn timeline_markup(
    all: &Timeline,
    legend: &Markup,
    caption: &str,
    with_history: bool,
) -> Result<Markup, ChartError> {
    let count = all.columns.len();
    let detail = figures(
        &all.newest(WINDOW),
        &all.newest(NARROW_WINDOW),
        legend,
        caption,
    )?;
    if count <= WINDOW || !with_history {
        return Ok(detail);
    }
    let whole = Timeline {
        marked: false,
        ..all.newest(count)
    };
    Ok(html! {
        (detail)
        details {
            summary { "Whole history: " (count) " measured revisions" }
            figure.chart { (legend) div.scroll { (inline(&whole, 1080)?) } }
        }
    })
}

/// Day and month of an instant, for axes: `03-09`.
pub(crate) fn axis_date(at: i64) -> String {
    dashboard_api::calendar_date(at)
        .get(5..)
        .unwrap_or_default()
        .to_owned()
}
