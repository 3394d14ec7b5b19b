//! Where the pages come from. Everything the runner knows about the dashboard is in this file.

use crate::data::Data;
use crate::import;
use anyhow::{Context, Result, bail};
use dashboard_api::{Source, SourceError};
use dashboard_pages::Uploads;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;

/// Writes the static site; returns its first page.
pub(crate) fn render(data: &Data) -> Result<PathBuf> {
    let store = Store::open_read_only(&data.database())?;
    let report = dashboard_pages::render(&store, &data.site())
        .with_context(|| format!("writing the pages to {}", data.site().display()))?;
    Ok(report.index)
}

/// Serves the same pages until the process ends. Each request reads the database as it is then. With a file of a token, results are
/// taken in at `upload/TOKEN/result/add/json/`, as clients of Codespeed post them.
pub(crate) fn serve(data: &Data, address: SocketAddr, uploads: Option<&Path>) -> Result<()> {
    let database = data.database();
    let uploads = uploads.map(token).transpose()?.map(|token| {
        let data = data.clone();
        Uploads {
            token,
            take: Box::new(move |body| match import::take_posted(&data, body) {
                Ok((count, true)) => Ok(format!("{count} results were taken in")),
                Ok((count, false)) => Ok(format!("these {count} results were taken in before")),
                Err(error) => Err(format!("{error:#}")),
            }),
        }
    });
    let open = move || -> Result<Box<dyn Source>, SourceError> {
        let store = Store::open_read_only(&database).map_err(|error| SourceError::Store {
            what: "the database",
            source: error.into(),
        })?;
        Ok(Box::new(store))
    };
    dashboard_pages::serve(Arc::new(open), uploads, address, |taken| {
        eprintln!("nightjar: the pages are at http://{taken}/ (end with Ctrl-C)");
    })?;
    Ok(())
}

/// The first line of a file that others cannot guess.
fn token(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{}: cannot read the token for uploads", file.display()))?;
    let token = text.lines().next().unwrap_or_default().trim().to_owned();
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if token.len() < 16 || !token.chars().all(good) {
        bail!(
            "{}: a token has at least 16 letters, digits, '-' and '_' (openssl rand -hex 16 makes one)",
            file.display()
        );
    }
    Ok(token)
}
