//! Plain CSV and JSON of all points, for spreadsheets and scripts.

use crate::{Measured, csv_field, time};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// One row per point.
#[must_use]
pub fn csv(measured: &[Measured]) -> String {
    let mut text = "subject,commit,position,commit_time_utc,machine,benchmark,mode,processes,seconds,low_seconds,high_seconds,run\n".to_owned();
    for result in measured {
        let bound = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let position = result
            .sha
            .as_ref()
            .map(|_| result.seq.to_string())
            .unwrap_or_default();
        let committed = result
            .sha
            .as_ref()
            .map(|_| time::utc(result.commit_time_s))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "{},{},{position},{committed},{},{},{},{},{},{},{},{}",
            csv_field(&result.subject),
            result.sha.as_deref().unwrap_or_default(),
            csv_field(&result.machine),
            csv_field(&result.benchmark),
            csv_field(&result.mode),
            result.processes.len(),
            result.seconds,
            bound(result.interval.map(|i| i.0)),
            bound(result.interval.map(|i| i.1)),
            csv_field(&result.run)
        );
    }
    text
}

/// The same with every iteration of every process.
#[must_use]
pub fn json(measured: &[Measured]) -> String {
    let value: Value = json!(measured);
    format!("{value:#}\n")
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn every_point_is_a_row() {
        let all = crate::test::sample();
        assert_eq!(csv(&all).lines().count(), 9);
        let value: Value = serde_json::from_str(&json(&all)).unwrap();
        assert_eq!(
            value[0]["processes"][0]["walls_s"]
                .as_array()
                .unwrap()
                .len(),
            12
        );
    }
}
