//! The frame around every page, and the small parts pages are made of.

use dashboard_charts::{ChartError, Figure, svg};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::route::{Address, Route};
use crate::table::Table;

/// A page: its text and the tables that can be downloaded from it.
pub(crate) struct Page {
    /// The whole HTML document.
    pub(crate) html: String,
    /// Tables in the order of the page.
    pub(crate) tables: Vec<Table>,
}

/// A page being written.
pub(crate) struct Draft {
    pub(crate) address: Address,
    pub(crate) tables: Vec<Table>,
}

/// What a page hands over to be framed.
pub(crate) struct Content {
    pub(crate) title: String,
    pub(crate) lead: Markup,
    pub(crate) body: Markup,
}

/// What the frame shows on every page.
pub(crate) struct Frame {
    pub(crate) subject: String,
    /// Other scopes: name and path from the root of their overview.
    pub(crate) scopes: Vec<(String, String, bool)>,
    /// Navigation: title, route, whether the page belongs to it.
    pub(crate) nav: Vec<(&'static str, Route)>,
    pub(crate) as_of: String,
}

impl Draft {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            tables: Vec::new(),
        }
    }

    pub(crate) fn to(&self, route: &Route) -> String {
        self.address.to(route)
    }

    /// Shows a table here and offers it for download; an empty one is replaced by `empty`.
    pub(crate) fn table(&mut self, table: Table, empty: &str) -> Markup {
        if table.is_empty() {
            return nothing(empty);
        }
        let path = self.address.route.path();
        let file = path.rsplit('/').next().unwrap_or(&path);
        let markup = table.markup(file.strip_suffix(".html").unwrap_or(file));
        self.tables.push(table);
        markup
    }

    pub(crate) fn finish(self, frame: &Frame, content: &Content) -> Page {
        let html = document(&self.address, frame, content).into_string();
        // Names may hold control characters, which no escape makes valid in HTML.
        let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        let html = if html.contains(bad) {
            html.replace(bad, "\u{fffd}")
        } else {
            html
        };
        Page {
            html,
            tables: self.tables,
        }
    }
}

fn document(address: &Address, frame: &Frame, content: &Content) -> Markup {
    let asset = |name: &str| address.to_root_path(&format!("assets/{name}"));
    let section = address.route.path();
    let section = section.split('/').next().unwrap_or_default();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (content.title) " · " (frame.subject) " · Nightjar" }
                link rel="icon" type="image/svg+xml" href=(asset("icon.svg"));
                link rel="stylesheet" href=(asset("style.css"));
                script src=(asset("script.js")) {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    div.bar {
                        a.brand href=(address.to(&Route::Overview)) { (logo()) span { "Nightjar" } }
                        span.subject title="Subject of these pages" { (frame.subject) }
                        span.spacer {}
                        @if frame.scopes.len() > 1 {
                            details.scopes {
                                summary { "Other subjects and machines" }
                                ul { @for (name, path, current) in &frame.scopes {
                                    li { a href=(address.to_root_path(path)) aria-current=[current.then_some("true")] { (name) } }
                                } }
                            }
                        }
                        button.theme type="button" hidden aria-label="Switch between light and dark" { "◐" }
                    }
                    nav aria-label="Pages" {
                        @for (title, route) in &frame.nav {
                            @let path = route.path();
                            @let current = path.split('/').next().unwrap_or_default() == section;
                            a href=(address.to(route)) aria-current=[current.then_some("page")] { (title) }
                        }
                    }
                }
                main id="main" {
                    h1 { (content.title) }
                    (content.lead)
                    (content.body)
                }
                footer {
                    p { "Results as of " (frame.as_of) ". Every table can be downloaded; times are wall-clock unless stated otherwise." }
                }
            }
        }
    }
}

fn logo() -> Markup {
    PreEscaped(LOGO.to_owned())
}

/// A crescent and a wing: drawn for this project.
pub(crate) const LOGO: &str = "<svg class=\"logo\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\" width=\"26\" height=\"26\" aria-hidden=\"true\">\
<circle cx=\"16\" cy=\"16\" r=\"16\" fill=\"#1b2540\"/><path d=\"M22 5.5a11 11 0 1 0 4.6 15.2A9 9 0 0 1 22 5.5z\" fill=\"#ffd166\"/>\
<path d=\"M7 20.5c4.5-.2 7.6-2 9.6-5.3 1.6 2.1 4.6 3.3 8.9 3.1-3.2 1.1-5.4 2.3-7 4-2.6-1.9-6.6-2.6-11.5-1.8z\" fill=\"#e9eef9\"/></svg>";

/// A paragraph for a part that has nothing to show yet.
pub(crate) fn nothing(text: &str) -> Markup {
    html! { p.empty { (text) } }
}

/// One entry of a legend.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) series: u8,
    pub(crate) note: String,
}

/// The legend of some series; the script makes its entries switches.
pub(crate) fn legend(keys: &[Key]) -> Markup {
    html! {
        ul.legend { @for key in keys {
            li { span.key data-series=(key.series) {
                span class={ "swatch k" (key.series) } {}
                (key.name)
                @if !key.note.is_empty() { span.muted { " " (key.note) } }
            } }
        } }
    }
}

/// A figure with its legend, in a wide and a narrow form of which the style sheet shows one.
pub(crate) fn figure(
    figure: &dyn Figure,
    legend: &Markup,
    caption: &str,
) -> Result<Markup, ChartError> {
    figures(figure, figure, legend, caption)
}

/// Like [`figure`], with another figure for narrow screens.
pub(crate) fn figures(
    wide: &dyn Figure,
    narrow: &dyn Figure,
    legend: &Markup,
    caption: &str,
) -> Result<Markup, ChartError> {
    let (wide, narrow) = (svg(wide, 1080)?, svg(narrow, 360)?);
    Ok(html! {
        figure.chart {
            (legend)
            div.wide tabindex="0" { (PreEscaped(wide)) }
            div.narrow { (PreEscaped(narrow)) }
            @if !caption.is_empty() { figcaption { (caption) } }
        }
    })
}

/// A small figure inside a line or cell.
pub(crate) fn inline(figure: &dyn Figure, width: u32) -> Result<Markup, ChartError> {
    Ok(PreEscaped(svg(figure, width)?))
}

/// A coloured word.
pub(crate) fn pill(text: &str, kind: &str) -> Markup {
    html! { span class={ "pill " (kind) } { (text) } }
}

/// A number with a title above and a note below.
pub(crate) struct Tile {
    pub(crate) title: Markup,
    pub(crate) value: String,
    pub(crate) note: Markup,
    pub(crate) series: Option<u8>,
}

/// Tiles side by side.
pub(crate) fn tiles(tiles: &[Tile]) -> Markup {
    html! {
        div.tiles { @for tile in tiles {
            div class={ "tile" @if let Some(n) = tile.series { " edge k" (n) } } {
                div.tile-title { (tile.title) }
                div.tile-value { (tile.value) }
                div.tile-note { (tile.note) }
            }
        } }
    }
}
