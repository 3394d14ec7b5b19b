//! Where the pages come from. Everything the runner knows about the dashboard is in this file.

use crate::data::Data;
use anyhow::{Context, Result};
use dashboard_api::{Source, SourceError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;

/// Writes the static site; returns its first page.
pub(crate) fn render(data: &Data) -> Result<PathBuf> {
    let store = Store::open_read_only(&data.database())?;
    let report = dashboard_pages::render(&store, &data.site())
        .with_context(|| format!("writing the pages to {}", data.site().display()))?;
    Ok(report.index)
}

/// Serves the same pages until the process ends. Each request reads the database as it is then.
pub(crate) fn serve(data: &Data, address: SocketAddr) -> Result<()> {
    let database = data.database();
    let open = move || -> Result<Box<dyn Source>, SourceError> {
        let store = Store::open_read_only(&database).map_err(|error| SourceError::Store {
            what: "the database",
            source: error.into(),
        })?;
        Ok(Box::new(store))
    };
    dashboard_pages::serve(Arc::new(open), address, |taken| {
        eprintln!("nightjar: the pages are at http://{taken}/ (end with Ctrl-C)");
    })?;
    Ok(())
}
