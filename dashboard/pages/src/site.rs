//! All pages over one source: which exist, and how to make one.

use dashboard_api::{Scope, Source, clock_time};
use maud::html;

use crate::context::Context;
use crate::layout::{Content, Draft, Frame, LOGO, Page, nothing};
use crate::route::{Address, Route, slug};
use crate::{
    PageError, alerts, badges, benchmarks, builds, commits, compare, grid, library, overview,
    searches, speedups, status, warmup,
};

/// A file of the site.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// MIME type.
    pub mime: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The dashboard over a source.
pub struct Site<'s> {
    source: &'s dyn Source,
}

const STYLE: &str = include_str!("../../web/style.css");
const SCRIPT: &str = include_str!("../../web/script.js");

/// Files that are the same for every source: path from the root, MIME type, content.
pub(crate) fn assets() -> [(&'static str, &'static str, &'static [u8]); 5] {
    [
        (
            "assets/style.css",
            "text/css; charset=utf-8",
            STYLE.as_bytes(),
        ),
        (
            "assets/script.js",
            "text/javascript; charset=utf-8",
            SCRIPT.as_bytes(),
        ),
        ("assets/icon.svg", "image/svg+xml", LOGO.as_bytes()),
        ("assets/inter.ttf", "font/ttf", dashboard_charts::FONT_TTF),
        (
            "assets/inter-OFL.txt",
            "text/plain; charset=utf-8",
            dashboard_charts::FONT_LICENCE.as_bytes(),
        ),
    ]
}

impl<'s> Site<'s> {
    /// The dashboard over `source`.
    #[must_use]
    pub fn new(source: &'s dyn Source) -> Self {
        Self { source }
    }

    /// Scopes with their folders; without any results one empty scope, so that the site always has its pages.
    pub(crate) fn scopes(&self) -> Result<Vec<(Scope, String)>, PageError> {
        let mut scopes = self.source.scopes()?;
        if scopes.is_empty() {
            scopes.push(Scope {
                subject: "no results yet".to_owned(),
                machine: String::new(),
            });
        }
        Ok(scopes
            .into_iter()
            .enumerate()
            .map(|(i, scope)| {
                let folder = if i == 0 {
                    String::new()
                } else {
                    format!(
                        "s/{}/",
                        slug(&format!("{}@{}", scope.subject, scope.machine))
                    )
                };
                (scope, folder)
            })
            .collect())
    }

    /// All pages of one scope that the static folder has, in the order of the navigation.
    pub(crate) fn routes(context: &Context<'_>) -> Result<Vec<Route>, PageError> {
        let mut routes = Self::known_routes(context);
        let pairs = context.source.neighbours(&context.scope, compare::PAIRS)?;
        routes.extend(
            pairs
                .into_iter()
                .filter_map(|(old, new)| compare::route(context, old, new)),
        );
        let searches = context.source.searches(&context.scope)?;
        routes.extend(searches.into_iter().map(|search| Route::Search(search.id)));
        Ok(routes)
    }

    /// The route of a path, found without asking for what only some pages need.
    fn find(context: &Context<'_>, path: &str) -> Result<Option<Route>, PageError> {
        if path.starts_with("searches/") {
            let mut routes = Self::routes(context)?.into_iter();
            return Ok(routes.find(|route| route.path() == path));
        }
        let mut known = Self::known_routes(context).into_iter();
        Ok(known
            .find(|route| route.path() == path)
            .or_else(|| compare::find(context, path)))
    }

    fn known_routes(context: &Context<'_>) -> Vec<Route> {
        let mut routes = vec![
            Route::Overview,
            Route::Benchmarks,
            Route::Warmups,
            Route::Library,
            Route::Builds,
            Route::Commits,
            Route::Comparisons,
            Route::Alerts,
            Route::Searches,
            Route::Status,
        ];
        routes.extend(context.baselines().map(|b| Route::Speedups(b.name.clone())));
        routes.extend(context.modes().map(|m| Route::Grid(m.name.clone())));
        for b in &context.benchmarks {
            routes.push(Route::Benchmark(b.name.clone()));
            routes.push(Route::Warmup(b.name.clone()));
        }
        routes.extend(
            context
                .revisions
                .iter()
                .map(|r| Route::Commit(r.sha.clone())),
        );
        routes
    }

    pub(crate) fn frame(
        &self,
        context: &Context<'_>,
        scopes: &[(Scope, String)],
    ) -> Result<Frame, PageError> {
        let mut nav = vec![
            ("Overview", Route::Overview),
            ("Benchmarks", Route::Benchmarks),
        ];
        nav.extend(
            context
                .baselines()
                .next()
                .map(|b| ("Speed-up", Route::Speedups(b.name.clone()))),
        );
        nav.extend(
            context
                .main_mode()
                .map(|m| ("Grid", Route::Grid(m.name.clone()))),
        );
        nav.extend([
            ("Warm-up", Route::Warmups),
            ("Library tests", Route::Library),
            ("Builds", Route::Builds),
            ("Revisions", Route::Commits),
            ("Compare", Route::Comparisons),
            ("Alerts", Route::Alerts),
            ("Searches", Route::Searches),
            ("Status", Route::Status),
        ]);
        let as_of = match self.source.nights(&context.scope, 1)?.first() {
            Some(night) => clock_time(night.finished_at.unwrap_or(night.started_at)),
            None => "the beginning: nothing has run yet".to_owned(),
        };
        Ok(Frame {
            subject: context.scope.subject.clone(),
            scopes: scopes
                .iter()
                .map(|(scope, folder)| {
                    let name = format!("{} on {}", scope.subject, scope.machine);
                    (
                        name,
                        format!("{folder}{}", Route::Overview.path()),
                        *scope == context.scope,
                    )
                })
                .collect(),
            nav,
            as_of,
        })
    }

    pub(crate) fn context(&self, scope: &Scope) -> Result<Context<'s>, PageError> {
        Ok(Context::load(self.source, scope.clone())?)
    }

    /// Makes the page of `address`, which must be one of [`Site::routes`].
    pub(crate) fn page(
        &self,
        context: &Context<'_>,
        frame: &Frame,
        address: &Address,
    ) -> Result<Page, PageError> {
        let mut draft = Draft::new(address.clone());
        let content = match &address.route {
            Route::Overview => overview::page(context, &mut draft)?,
            Route::Benchmarks => benchmarks::list(context, &mut draft)?,
            Route::Benchmark(name) => match context.benchmarks.iter().find(|b| b.name == *name) {
                Some(benchmark) => benchmarks::one(context, &mut draft, benchmark)?,
                None => absent(name),
            },
            Route::Speedups(baseline) => speedups::page(context, &mut draft, baseline)?,
            Route::Grid(mode) => grid::page(context, &mut draft, mode)?,
            Route::Warmups => warmup::list(context, &mut draft)?,
            Route::Warmup(name) => match context.benchmarks.iter().find(|b| b.name == *name) {
                Some(benchmark) => warmup::one(context, &mut draft, benchmark)?,
                None => absent(name),
            },
            Route::Library => library::page(context, &mut draft)?,
            Route::Builds => builds::page(context, &mut draft)?,
            Route::Commits => commits::list(context, &mut draft)?,
            Route::Commit(sha) => match context.revisions.iter().find(|r| r.sha == *sha) {
                Some(revision) => commits::one(context, &mut draft, revision)?,
                None => absent(sha),
            },
            Route::Alerts => alerts::page(context, &mut draft)?,
            Route::Comparisons => compare::list(context, &mut draft)?,
            Route::Compare(old, new) => {
                let find = |sha: &str| context.revisions.iter().find(|r| r.sha == sha);
                match (find(old), find(new)) {
                    (Some(old), Some(new)) => compare::one(context, &mut draft, old, new)?,
                    _ => absent(old),
                }
            }
            Route::Searches => searches::list(context, &mut draft)?,
            Route::Search(id) => {
                let all = context.source.searches(&context.scope)?;
                match all.iter().find(|search| search.id == *id) {
                    Some(search) => searches::one(context, &mut draft, search)?,
                    None => absent(&format!("search {id}")),
                }
            }
            Route::Status => status::page(context, &mut draft)?,
        };
        Ok(draft.finish(frame, &content))
    }

    /// The file at `path` (from the root, forward slashes), or `None` when there is no such file. An empty
    /// path and a path that ends in `/` mean the folder's `index.html`.
    ///
    /// # Errors
    /// When the source cannot be read or a figure cannot be drawn.
    pub fn file(&self, path: &str) -> Result<Option<File>, PageError> {
        let path = if path.is_empty() || path.ends_with('/') {
            format!("{path}index.html")
        } else {
            path.to_owned()
        };
        if let Some((_, mime, bytes)) = assets().into_iter().find(|a| a.0 == path) {
            return Ok(Some(File {
                mime,
                bytes: bytes.to_vec(),
            }));
        }
        let (page_path, download) = match download_parts(&path) {
            Some((stem, table, kind)) => (format!("{stem}.html"), Some((table, kind))),
            None => (path.clone(), None),
        };
        let scopes = self.scopes()?;
        for (scope, folder) in &scopes {
            let Some(rest) = page_path.strip_prefix(folder.as_str()) else {
                continue;
            };
            let context = self.context(scope)?;
            if let Some((name, kind)) = badge_parts(rest) {
                return Ok(Some(badges::file(&context, name, kind)?));
            }
            let Some(route) = Self::find(&context, rest)? else {
                continue;
            };
            let address = Address {
                folder: folder.clone(),
                route,
            };
            let frame = self.frame(&context, &scopes)?;
            let page = self.page(&context, &frame, &address)?;
            return Ok(match download {
                None => Some(File {
                    mime: "text/html; charset=utf-8",
                    bytes: page.html.into_bytes(),
                }),
                Some((id, kind)) => page.tables.iter().find(|t| t.id == id).map(|t| match kind {
                    "csv" => File {
                        mime: "text/csv; charset=utf-8",
                        bytes: t.csv().into_bytes(),
                    },
                    _ => File {
                        mime: "application/json",
                        bytes: t.json().into_bytes(),
                    },
                }),
            });
        }
        Ok(None)
    }
}

/// Splits `badges/speedup.png` into name and kind, when there is such a badge.
fn badge_parts(path: &str) -> Option<(&str, &str)> {
    let (name, kind) = path.strip_prefix("badges/")?.split_once('.')?;
    (badges::NAMES.contains(&name) && matches!(kind, "svg" | "png")).then_some((name, kind))
}

/// Splits `benchmarks/int_loop.steady.csv` into page stem, table and kind.
fn download_parts(path: &str) -> Option<(&str, &str, &str)> {
    let (rest, kind) = path.rsplit_once('.')?;
    if kind != "csv" && kind != "json" {
        return None;
    }
    let (stem, table) = rest.rsplit_once('.')?;
    Some((stem, table, kind))
}

fn absent(name: &str) -> Content {
    Content {
        title: "Not found".to_owned(),
        lead: html! {},
        body: nothing(&format!("Nothing is known about {name}.")),
    }
}
