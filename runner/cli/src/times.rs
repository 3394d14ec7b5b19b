//! Durations as people write them, and moments as file names.

use anyhow::{Result, bail};
use measure::Nanos;

/// Reads `90m`, `2h`, `1h30m`, `45s`; a bare number is minutes.
pub(crate) fn parse_duration(text: &str) -> Result<Nanos> {
    let mut seconds = 0u64;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => bail!("{text:?} is no duration; write 90m, 2h, 1h30m or 45s"),
        };
        let Ok(value) = std::mem::take(&mut number).parse::<u64>() else {
            bail!("{text:?} is no duration: a number is missing before '{c}'");
        };
        seconds = seconds.saturating_add(value.saturating_mul(unit));
    }
    if !number.is_empty() {
        let Ok(minutes) = number.parse::<u64>() else {
            bail!("{text:?} is too long")
        };
        seconds = seconds.saturating_add(minutes.saturating_mul(60));
    }
    if seconds == 0 || seconds > 30 * 86_400 {
        bail!("{text:?} is not between a second and 30 days");
    }
    Ok(Nanos::from_secs(seconds))
}

/// `2026-03-01T02-00-00Z` of a Unix time: sorts by time, and is a file name everywhere.
pub(crate) fn utc_name(unix_s: i64) -> String {
    let (y, m, d) = civil(unix_s.div_euclid(86_400));
    let s = unix_s.rem_euclid(86_400);
    format!(
        "{y:04}-{m:02}-{d:02}T{:02}-{:02}-{:02}Z",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

/// `2026-03-01 02:00 UTC` of a Unix time.
pub(crate) fn utc_text(unix_s: i64) -> String {
    let (y, m, d) = civil(unix_s.div_euclid(86_400));
    let s = unix_s.rem_euclid(86_400);
    format!(
        "{y:04}-{m:02}-{d:02} {:02}:{:02} UTC",
        s / 3600,
        s / 60 % 60
    )
}

/// Year, month, day of a day number since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        let read = |text| parse_duration(text).map(|n| n.0 / 1_000_000_000).ok();
        assert_eq!(
            ["90m", "2h", "1h30m", "45s", "10"].map(read),
            [5400, 7200, 5400, 45, 600].map(Some)
        );
        assert_eq!(
            ["", "h", "3x", "0m", "99999999h", "1.5h"].map(read),
            [None; 6]
        );
    }

    #[test]
    fn moments_are_names() {
        assert_eq!(utc_name(0), "1970-01-01T00-00-00Z");
        assert_eq!(utc_name(951_782_400), "2000-02-29T00-00-00Z");
        assert_eq!(utc_text(1_772_330_399), "2026-03-01 01:59 UTC");
    }
}
