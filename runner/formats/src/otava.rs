//! CSV of a series per benchmark, and the configuration with which Apache Otava reads it.
//!
//! One file per mode: a row per commit in the order of the line, a column per benchmark, empty where there is no number. Otava wants the rows in the
//! order of time, so the time column is the commit's, moved up to be later than the one before where a history was rewritten.

use crate::{FormatError, Measured, csv_field, time};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Files as (relative path, text): `MODE.csv` for each mode and `otava.yaml` with a test of the same name for each. `folder` is
/// where they will lie.
///
/// # Errors
/// [`FormatError::Nothing`] without a result of a commit.
pub fn write(measured: &[Measured], folder: &str) -> Result<Vec<(String, String)>, FormatError> {
    let mut modes: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for result in measured.iter().filter(|m| m.sha.is_some()) {
        modes.entry(&result.mode).or_default().push(result);
    }
    if modes.is_empty() {
        return Err(FormatError::Nothing("no commit has results"));
    }
    let mut files = Vec::new();
    let mut yaml = "tests:\n".to_owned();
    for (mode, results) in modes {
        let benchmarks: BTreeSet<&str> = results.iter().map(|m| m.benchmark.as_str()).collect();
        files.push((format!("{mode}.csv"), csv(&results, &benchmarks)));
        let _ = write!(
            yaml,
            "  {mode}:\n    type: csv\n    file: {folder}/{mode}.csv\n    time_column: time\n    attributes: [commit]\n    metrics:\n"
        );
        for benchmark in benchmarks {
            let _ = write!(
                yaml,
                "      {}:\n        column: \"{benchmark}\"\n        direction: -1\n        scale: 1\n",
                benchmark.replace('/', "_")
            );
        }
        yaml += "    csv_options:\n      delimiter: \",\"\n      quote_char: \"'\"\n";
    }
    files.push(("otava.yaml".into(), yaml));
    Ok(files)
}

fn csv(results: &[&Measured], benchmarks: &BTreeSet<&str>) -> String {
    let mut rows: BTreeMap<(i64, &str), BTreeMap<&str, &Measured>> = BTreeMap::new();
    for result in results {
        let sha = result.sha.as_deref().unwrap_or_default();
        rows.entry((result.seq, sha))
            .or_default()
            .insert(&result.benchmark, result);
    }
    let mut text = "time,commit".to_owned();
    benchmarks.iter().for_each(|benchmark| {
        let _ = write!(text, ",{}", csv_field(benchmark));
    });
    text.push('\n');
    let mut last = i64::MIN;
    for ((_, sha), row) in rows {
        let own = row.values().map(|m| m.commit_time_s).max().unwrap_or(0);
        last = own.max(last.saturating_add(1));
        let _ = write!(text, "{} +0000,{sha}", time::utc(last));
        for benchmark in benchmarks {
            match row.get(benchmark) {
                Some(result) => {
                    let _ = write!(text, ",{}", result.seconds);
                }
                None => text.push(','),
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn rows_follow_the_line_even_where_times_do_not() {
        let mut all = crate::test::sample();
        for result in &mut all {
            result.commit_time_s = 1_700_000_000 - 86_400 * result.seq;
        }
        let files = write(&all, "/x").unwrap();
        assert_eq!(files.len(), 3);
        let lines: Vec<&str> = files[0].1.lines().collect();
        assert_eq!(lines[0], "time,commit,micro/calls,micro/loops");
        assert!(
            lines[1].starts_with("2023-11-14 22:13:20 +0000,aaaa"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].starts_with("2023-11-14 22:13:21 +0000,bbbb"),
            "{}",
            lines[2]
        );
    }
}
