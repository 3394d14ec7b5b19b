//! The static site: every file written below one folder.

use std::fs;
use std::path::{Path, PathBuf};

use dashboard_api::Source;

use crate::route::Address;
use crate::site::{Site, assets};
use crate::{PageError, badges};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderReport {
    /// The page to open first.
    pub index: PathBuf,
    /// Pages written.
    pub pages: usize,
    /// Downloads written.
    pub tables: usize,
}

/// Writes the whole site below `folder`, which is made if it is not there. Files of the same name are
/// replaced, each at once; others are left alone.
///
/// # Errors
/// When the source cannot be read, a figure cannot be drawn or a file cannot be written.
pub fn render(source: &dyn Source, folder: &Path) -> Result<RenderReport, PageError> {
    let site = Site::new(source);
    let mut report = RenderReport {
        index: folder.join("index.html"),
        pages: 0,
        tables: 0,
    };
    for (path, _, bytes) in assets() {
        write(folder, path, bytes)?;
    }
    let scopes = site.scopes()?;
    for (scope, prefix) in &scopes {
        let context = site.context(scope)?;
        let frame = site.frame(&context, &scopes)?;
        for name in badges::NAMES {
            for kind in ["svg", "png"] {
                let file = badges::file(&context, name, kind)?;
                write(
                    folder,
                    &format!("{prefix}badges/{name}.{kind}"),
                    &file.bytes,
                )?;
            }
        }
        for route in Site::routes(&context)? {
            let address = Address {
                folder: prefix.clone(),
                route,
            };
            let page = site.page(&context, &frame, &address)?;
            let path = address.path();
            write(folder, &path, page.html.as_bytes())?;
            report.pages += 1;
            let stem = path.strip_suffix(".html").unwrap_or(&path);
            for table in &page.tables {
                write(
                    folder,
                    &format!("{stem}.{}.csv", table.id),
                    table.csv().as_bytes(),
                )?;
                write(
                    folder,
                    &format!("{stem}.{}.json", table.id),
                    table.json().as_bytes(),
                )?;
                report.tables += 1;
            }
        }
    }
    Ok(report)
}

/// Writes beside the target and renames, so that a reader never sees half a page.
fn write(folder: &Path, path: &str, bytes: &[u8]) -> Result<(), PageError> {
    let target = folder.join(path);
    let attempt = || -> std::io::Result<()> {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut beside = target.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, bytes)?;
        fs::rename(&beside, &target)
    };
    attempt().map_err(|source| PageError::Write {
        path: target.clone(),
        source,
    })
}
