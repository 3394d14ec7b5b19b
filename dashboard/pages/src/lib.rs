//! The dashboard: server-rendered pages over the results, as a static folder or behind a server.
//!
//! Problem: the same pages must be readable from a folder without any server, and live while a night runs.
//! Idea: [`Site`] makes any file of the site from a [`Source`](dashboard_api::Source) by its path;
//! [`render`] asks for all of them and writes them down, [`serve`] asks for one at a time. Pages are whole
//! without scripts: figures are inline SVG with links and tooltips, tables are tables, and every table has
//! its CSV and JSON beside it. The script adds filters, sorting, toggles and better tooltips.
//!
//! Invariants: this crate knows no SQL; every name is escaped by maud or by the figure writer; paths are
//! looked up among those that exist, never resolved on a disk; the same results give the same bytes.

mod alerts;
mod badges;
mod benchmarks;
mod builds;
mod commits;
mod common;
mod compare;
mod context;
mod folder;
mod grid;
mod layout;
mod library;
mod overview;
mod route;
mod searches;
mod server;
mod site;
mod speedups;
mod status;
mod table;
mod warmup;

pub use folder::{RenderReport, render};
pub use server::{OpenSource, ServeError, Uploads, serve};
pub use site::{File, Site};

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The results could not be read.
    #[error(transparent)]
    Source(#[from] dashboard_api::SourceError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Chart(#[from] dashboard_charts::ChartError),
    /// A file of the static site could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
