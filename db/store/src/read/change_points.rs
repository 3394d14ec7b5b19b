//! Change points of the steady times, those judged to be noise left out.

use super::scope::{Ids, LINE};
use crate::{Result, Store};
use dashboard_api::{Certainty, ChangePoint};
use rusqlite::params;

impl Store {
    pub(super) fn page_change_points(
        &self,
        ids: Ids,
        benchmark: Option<&str>,
    ) -> Result<Vec<ChangePoint>> {
        let versions = self.newest_versions()?;
        let sql = format!(
            "{LINE} SELECT series.benchmark_version_id, mode.name, line.seq, change_point.ratio, change_point.status \
             FROM change_point JOIN series ON series.id = change_point.series_id JOIN mode ON mode.id = series.mode_id \
             JOIN metric ON metric.id = series.metric_id JOIN line ON line.id = change_point.commit_id \
             WHERE series.subject_id = ?1 AND series.machine_id = ?2 AND metric.name = 'wall' \
             AND change_point.status != 'noise' ORDER BY line.seq, mode.id"
        );
        let mut query = self.conn.prepare_cached(&sql)?;
        let mut rows = query.query(params![ids.subject, ids.machine])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            let Some(name) = versions.get(&row.get(0)?) else {
                continue;
            };
            if benchmark.is_some_and(|wanted| wanted != name) {
                continue;
            }
            let provisional = row.get::<_, String>(4)? == "provisional";
            changes.push(ChangePoint {
                benchmark: name.clone(),
                variant: row.get(1)?,
                position: row.get(2)?,
                ratio: row.get(3)?,
                certainty: if provisional {
                    Certainty::Provisional
                } else {
                    Certainty::Established
                },
            });
        }
        Ok(changes)
    }
}
