//! Tables: one model, shown as HTML and downloaded as CSV or JSON.
//!
//! A cell keeps the raw value beside what is shown, so downloads have full precision in the column's unit
//! and the page has something readable. A failed result is a word in every form.

use std::fmt::Write as _;

use dashboard_api::Outcome;
use maud::{Markup, html};
use serde_json::{Value as Json, json};

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    title: String,
    unit: &'static str,
    numeric: bool,
    href: Option<String>,
}

impl Column {
    /// The same column with a title that leads somewhere.
    pub(crate) fn linked(mut self, href: String) -> Self {
        self.href = Some(href);
        self
    }
}

/// A column of words.
pub(crate) fn words(title: impl Into<String>) -> Column {
    Column {
        title: title.into(),
        unit: "",
        numeric: false,
        href: None,
    }
}

/// A column of numbers in `unit` (may be empty).
pub(crate) fn numbers(title: impl Into<String>, unit: &'static str) -> Column {
    Column {
        title: title.into(),
        unit,
        numeric: true,
        href: None,
    }
}

/// The raw value of a cell.
#[derive(Clone, Debug, PartialEq)]
enum Raw {
    Empty,
    Word(String),
    Number(f64),
}

/// One cell.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    raw: Raw,
    shown: Markup,
    class: &'static str,
}

impl Entry {
    /// A word.
    pub(crate) fn word(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            shown: html! { (text) },
            raw: Raw::Word(text),
            class: "",
        }
    }

    /// A date or time: a word that is never broken.
    pub(crate) fn stamp(text: impl Into<String>) -> Self {
        Self::word(text).styled("nowrap")
    }

    /// A word that leads somewhere.
    pub(crate) fn link(text: impl Into<String>, href: &str) -> Self {
        let text = text.into();
        Self {
            shown: html! { a href=(href) { (text) } },
            raw: Raw::Word(text),
            class: "",
        }
    }

    /// A number with the text shown for it.
    pub(crate) fn number(raw: f64, shown: impl Into<String>) -> Self {
        let shown = shown.into();
        Self {
            shown: html! { (shown) },
            raw: Raw::Number(raw),
            class: "",
        }
    }

    /// A whole number.
    pub(crate) fn count(n: impl Into<f64>) -> Self {
        let n = n.into();
        Self::number(n, format!("{n:.0}"))
    }

    /// A failure: its word, never a number.
    pub(crate) fn outcome(outcome: Outcome) -> Self {
        let class = if outcome.is_failure() { "bad" } else { "muted" };
        Self {
            shown: html! { span class=(pill(outcome)) { (outcome.word()) } },
            raw: Raw::Word(outcome.word().into()),
            class,
        }
    }

    /// Nothing known; a dash in the page.
    pub(crate) fn none() -> Self {
        Self {
            shown: html! { span.muted title="not measured" { "–" } },
            raw: Raw::Empty,
            class: "",
        }
    }

    /// The same value shown otherwise.
    pub(crate) fn shown_as(mut self, shown: Markup) -> Self {
        self.shown = shown;
        self
    }

    /// The same cell in a style class.
    pub(crate) fn styled(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }
}

/// Style classes of an outcome's pill.
pub(crate) fn pill(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "pill ok",
        Outcome::Unsupported | Outcome::NotRun => "pill",
        _ => "pill fail",
    }
}

/// A table with an identity within its page.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Identity within the page, part of the downloads' names.
    pub(crate) id: &'static str,
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Entry>>,
    filter: bool,
    wide: bool,
    shown: usize,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(id: &'static str, caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            id,
            caption: caption.into(),
            columns,
            rows: Vec::new(),
            filter: false,
            wide: false,
            shown: 400,
        }
    }

    /// Offers a field to filter the rows by text.
    pub(crate) fn with_filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Keeps the first column in view while the others scroll.
    pub(crate) fn with_sticky_column(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Shows only the first `rows` on the page; downloads have all.
    pub(crate) fn showing(mut self, rows: usize) -> Self {
        self.shown = rows;
        self
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, row: Vec<Entry>) {
        debug_assert_eq!(
            row.len(),
            self.columns.len(),
            "a row of table {} has its own number of cells",
            self.id
        );
        self.rows.push(row);
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table with its download links; `stem` is the page's file name without `.html`.
    pub(crate) fn markup(&self, stem: &str) -> Markup {
        html! {
            div.table-block id=(self.id) {
                div.table-head {
                    span.caption { (self.caption) " "
                        @if self.rows.len() > self.shown {
                            span.muted { "(the first " (self.shown) " of " (self.rows.len()) "; downloads have all)" }
                        } @else {
                            span.muted { "(" (self.rows.len()) ")" }
                        } }
                    span.spacer {}
                    @if self.filter && self.rows.len() > 8 {
                        input.filter type="search" placeholder="Filter rows" aria-label={ "Filter rows of " (self.caption) }
                            data-table=(self.id) hidden;
                    }
                    a.download download href=(format!("{stem}.{}.csv", self.id)) title={ (self.caption) " as CSV" } { "CSV" }
                    a.download download href=(format!("{stem}.{}.json", self.id)) title={ (self.caption) " as JSON" } { "JSON" }
                }
                div.scroll tabindex="0" role="region" aria-label=(self.caption) {
                    table class=(if self.wide { "data sticky" } else { "data" }) {
                        caption.hidden { (self.caption) }
                        thead { tr {
                            @for column in &self.columns {
                                th scope="col" class=(if column.numeric { "num" } else { "" }) {
                                    @if let Some(href) = &column.href { a href=(href) { (column.title) } } @else { (column.title) }
                                }
                            }
                        } }
                        tbody {
                            @for row in self.rows.iter().take(self.shown) {
                                tr { @for (i, (entry, column)) in row.iter().zip(&self.columns).enumerate() { (cell(i, entry, column)) } }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The table as CSV (RFC 4180), units in the header.
    pub(crate) fn csv(&self) -> String {
        let mut out = String::new();
        let header = self.columns.iter().map(|c| {
            if c.unit.is_empty() {
                c.title.clone()
            } else {
                format!("{} ({})", c.title, c.unit)
            }
        });
        push_csv_line(&mut out, header);
        for row in &self.rows {
            let cells = row.iter().map(|entry| match &entry.raw {
                Raw::Empty => String::new(),
                Raw::Word(text) => text.clone(),
                Raw::Number(n) => n.to_string(),
            });
            push_csv_line(&mut out, cells);
        }
        out
    }

    /// The table as JSON: caption, columns with units, rows in their order.
    pub(crate) fn json(&self) -> String {
        let columns: Vec<Json> = self
            .columns
            .iter()
            .map(|c| json!({ "title": c.title, "unit": c.unit }))
            .collect();
        let rows: Vec<Vec<Json>> = self
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|entry| match &entry.raw {
                        Raw::Empty => Json::Null,
                        Raw::Word(text) => json!(text),
                        Raw::Number(n) => json!(n),
                    })
                    .collect()
            })
            .collect();
        let mut text =
            json!({ "table": self.caption, "columns": columns, "rows": rows }).to_string();
        text.push('\n');
        text
    }
}

fn cell(i: usize, entry: &Entry, column: &Column) -> Markup {
    let class = match (column.numeric, entry.class) {
        (true, "") => "num".to_owned(),
        (true, class) => format!("num {class}"),
        (false, class) => class.to_owned(),
    };
    let sort = match &entry.raw {
        Raw::Number(n) => Some(n.to_string()),
        _ => None,
    };
    html! {
        @if i == 0 {
            th scope="row" class=(class) data-v=[sort] { (entry.shown) }
        } @else {
            td class=(class) data-v=[sort] { (entry.shown) }
        }
    }
}

fn push_csv_line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(',');
        }
        // A spreadsheet runs a word that begins like a formula; an apostrophe makes it text.
        let formula = cell.starts_with(['=', '+', '@', '\t', '\r'])
            || (cell.starts_with('-') && cell.parse::<f64>().is_err());
        let cell = if formula { format!("'{cell}") } else { cell };
        if cell.contains([',', '"', '\n', '\r']) {
            let _ = write!(out, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("t", "Times", vec![words("Benchmark"), numbers("Time", "s")]);
        table.row(vec![
            Entry::word("a,\"b\"\n"),
            Entry::number(0.008_214_3, "8.21 ms"),
        ]);
        table.row(vec![Entry::word("=cmd()"), Entry::outcome(Outcome::Crash)]);
        table.row(vec![Entry::word("<b>"), Entry::none()]);
        table
    }

    #[test]
    fn csv_has_raw_values_units_and_quotes() {
        let expected =
            "Benchmark,Time (s)\r\n\"a,\"\"b\"\"\n\",0.0082143\r\n'=cmd(),crash\r\n<b>,\r\n";
        assert_eq!(table().csv(), expected);
    }

    #[test]
    fn json_tells_numbers_words_and_nothing_apart() {
        let json: Json = serde_json::from_str(&table().json()).expect("valid");
        assert_eq!(json["rows"][0][1], json!(0.008_214_3));
        assert_eq!(json["rows"][1][1], json!("crash"));
        assert_eq!(json["rows"][2][1], Json::Null);
    }

    #[test]
    fn a_long_table_is_cut_on_the_page_only() {
        let table = table().showing(1);
        let html = table.markup("page").into_string();
        assert!(html.contains("the first 1 of 3") && !html.contains("cmd()"));
        assert!(table.csv().contains("cmd()"));
    }

    #[test]
    fn html_escapes_and_links_its_downloads() {
        let html = table().markup("page").into_string();
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"));
        assert!(html.contains("href=\"page.t.csv\"") && html.contains("href=\"page.t.json\""));
    }
}
