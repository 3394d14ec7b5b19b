//! Where the pages come from. Everything the runner knows about the dashboard is in this file.

use crate::data::Data;
use anyhow::{Result, bail};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Writes the static site; returns its first page.
pub(crate) fn render(data: &Data) -> Result<PathBuf> {
    bail!(
        "this build has no pages (they would go to {})",
        data.site().display()
    )
}

/// Serves the same pages until the process ends.
pub(crate) fn serve(_data: &Data, address: SocketAddr) -> Result<()> {
    bail!("this build has no pages to serve on {address}")
}
