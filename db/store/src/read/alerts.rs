//! Alerts of a scope, for the pages.

use super::scope::Ids;
use crate::{Result, Store};
use dashboard_api::Alert;
use rusqlite::params;

impl Store {
    pub(super) fn page_alerts(&self, ids: Ids) -> Result<Vec<Alert>> {
        let mut query = self.conn.prepare_cached(
            "SELECT alert.state, alert.direction, b.suite || '/' || b.name, group_concat(DISTINCT mode.name), max(cp.ratio), \
             min(cp.ratio), lo.seq, hi.seq, alert.moved, alert.counter, alert.counter_ratio, alert.created_s, metric.name, \
             (SELECT c.seq FROM \"commit\" AS c WHERE alert.state = 'fixed' AND c.subject_id = ?1 \
             AND c.sha = json_extract(alert.history_json, '$[#-1].sha')) FROM alert \
             JOIN alert_change AS ac ON ac.alert_id = alert.id JOIN change_point AS cp ON cp.id = ac.change_point_id \
             JOIN series ON series.id = cp.series_id JOIN metric ON metric.id = series.metric_id JOIN mode ON mode.id = series.mode_id \
             JOIN benchmark_version AS bv ON bv.id = series.benchmark_version_id JOIN benchmark AS b ON b.id = bv.benchmark_id \
             JOIN \"commit\" AS lo ON lo.id = alert.low_commit_id JOIN \"commit\" AS hi ON hi.id = alert.high_commit_id \
             WHERE series.subject_id = ?1 AND series.machine_id = ?2 GROUP BY alert.id \
             ORDER BY alert.created_s DESC, alert.id DESC",
        )?;
        let rows = query.query_map(params![ids.subject, ids.machine], |row| {
            let state: String = row.get(0)?;
            let (largest, smallest): (f64, f64) = (row.get(4)?, row.get(5)?);
            let modes: String = row.get(3)?;
            let counter: Option<String> = row.get(9)?;
            let counter_ratio: Option<f64> = row.get(10)?;
            Ok(Alert {
                is_open: matches!(state.as_str(), "new" | "provisional" | "confirmed"),
                state,
                benchmark: row.get(2)?,
                modes: modes.split(',').map(Into::into).collect(),
                ratio: if row.get::<_, String>(1)? == "worse" {
                    largest
                } else {
                    smallest
                },
                low: row.get(6)?,
                high: row.get(7)?,
                moved: row.get(8)?,
                counter: counter.map(|name| match counter_ratio {
                    Some(ratio) => format!("{name} ×{ratio:.2}"),
                    None => format!("{name} from 0"),
                }),
                created_at: row.get(11)?,
                metric: row.get(12)?,
                fixed: row.get(13)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
