//! Builds of the subject's commits, with the end of the log where one failed.

use super::scope::{Ids, LINE, outcome};
use crate::{Result, Store};
use dashboard_api::Build;
use rusqlite::{Row, params};

/// Bytes of a failed build's log that a page shows.
const LOG_TAIL: i64 = 6000;

/// Columns in the order [`read`] takes them; of several rows for one commit (another toolchain, another try) the newest
/// stands.
fn select(position: &str) -> String {
    format!(
        "{LINE} SELECT line.seq, build.id, build.outcome, build.finished_s, build.duration_ns, build.binary_bytes, \
         build.toolchain, CASE build.outcome WHEN 'ok' THEN NULL ELSE \
         (SELECT substr(content, -{LOG_TAIL}) FROM artifact WHERE sha256 = build.log_sha256) END, build.reason \
         FROM line JOIN build ON build.id = \
         (SELECT b.id FROM build AS b WHERE b.commit_id = line.id AND b.machine_id = ?2 ORDER BY b.finished_s DESC, b.id DESC \
          LIMIT 1) {position}"
    )
}

impl Store {
    pub(super) fn page_builds(&self, ids: Ids, limit: usize) -> Result<Vec<Build>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut query = self
            .conn
            .prepare_cached(&select("ORDER BY line.seq DESC LIMIT ?3"))?;
        let mut rows = query.query(params![ids.subject, ids.machine, limit])?;
        let mut builds = Vec::new();
        while let Some(row) = rows.next()? {
            builds.push(read(row)?);
        }
        Ok(builds)
    }

    pub(super) fn page_build(&self, ids: Ids, position: i64) -> Result<Option<Build>> {
        let mut query = self.conn.prepare_cached(&select("WHERE line.seq = ?3"))?;
        let mut rows = query.query(params![ids.subject, ids.machine, position])?;
        rows.next()?.map(read).transpose()
    }
}

fn read(row: &Row<'_>) -> Result<Build> {
    let duration_ns: i64 = row.get(4)?;
    let wall_s = (duration_ns > 0).then_some(duration_ns as f64 * 1e-9);
    let log: Option<Vec<u8>> = row.get(7)?;
    let reason: String = row.get(8)?;
    Ok(Build {
        position: row.get(0)?,
        outcome: outcome("build", row.get(1)?, &row.get::<_, String>(2)?)?,
        started_at: row.get::<_, i64>(3)? - wall_s.unwrap_or(0.0) as i64,
        wall_s,
        binary_bytes: row
            .get::<_, Option<i64>>(5)?
            .and_then(|b| u64::try_from(b).ok()),
        toolchain: row.get(6)?,
        log_tail: log.map_or(reason, |bytes| whole_lines(&bytes)),
    })
}

/// The text of a tail of bytes, less a first line that was cut.
fn whole_lines(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    let cut = i64::try_from(tail.len()).is_ok_and(|n| n >= LOG_TAIL);
    match text.split_once('\n') {
        Some((_, rest)) if cut => rest.to_owned(),
        _ => text.into_owned(),
    }
}
