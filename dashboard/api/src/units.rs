//! Numbers for readers: three significant digits and a unit that fits.

/// A duration in seconds with a fitting unit: `8.21 ms`, `1.20 s`, `3 min 20 s`.
#[must_use]
pub fn seconds(s: f64) -> String {
    if !s.is_finite() {
        return "unknown".to_owned();
    }
    let magnitude = s.abs();
    if magnitude >= 120.0 {
        duration(s)
    } else if magnitude >= 1.0 {
        format!("{} s", digits(s))
    } else if magnitude >= 1e-3 {
        format!("{} ms", digits(s * 1e3))
    } else if magnitude >= 1e-6 {
        format!("{} µs", digits(s * 1e6))
    } else {
        format!("{} ns", digits(s * 1e9))
    }
}

/// A long duration in seconds: `45 s`, `12 min 05 s`, `3 h 20 min`.
#[must_use]
pub fn duration(s: f64) -> String {
    let whole = s.round().max(0.0);
    let (hours, minutes, rest) = (
        (whole / 3600.0).floor(),
        ((whole % 3600.0) / 60.0).floor(),
        whole % 60.0,
    );
    if hours >= 1.0 {
        format!("{hours:.0} h {minutes:02.0} min")
    } else if minutes >= 1.0 {
        format!("{minutes:.0} min {rest:02.0} s")
    } else {
        format!("{rest:.0} s")
    }
}

/// A size in bytes with a fitting binary unit: `12.4 MiB`.
#[must_use]
pub fn bytes(b: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = b;
    let mut unit = 0;
    while value.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{value:.0} B")
    } else {
        format!("{} {}", digits(value), UNITS[unit])
    }
}

/// A large count for readers: `12.3 G`.
#[must_use]
pub fn count(n: f64) -> String {
    for (size, unit) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if n >= size {
            return format!("{} {unit}", digits(n / size));
        }
    }
    format!("{n:.0}")
}

/// A ratio as a factor: `12.3×`.
#[must_use]
pub fn factor(ratio: f64) -> String {
    format!("{}×", digits(ratio))
}

/// A ratio to 1 as a signed percentage: `+2.4 %`, `−0.3 %`.
#[must_use]
pub fn percent(ratio: f64) -> String {
    let value = (ratio - 1.0) * 100.0;
    let shown = format!("{:.1}", value.abs());
    let sign = if shown == "0.0" {
        "±"
    } else if value < 0.0 {
        "−"
    } else {
        "+"
    };
    format!("{sign}{shown} %")
}

fn digits(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude >= 99.95 {
        format!("{x:.0}")
    } else if magnitude >= 9.995 {
        format!("{x:.1}")
    } else {
        format!("{x:.2}")
    }
}

/// The UTC date of an instant (seconds since 1970): `2026-03-09`.
#[must_use]
pub fn calendar_date(at: i64) -> String {
    let (year, month, day) = civil(at.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The UTC date and time of an instant: `2026-03-09 02:15 UTC`.
#[must_use]
pub fn clock_time(at: i64) -> String {
    let second = at.rem_euclid(86_400);
    format!(
        "{} {:02}:{:02} UTC",
        calendar_date(at),
        second / 3600,
        second % 3600 / 60
    )
}

/// Proleptic Gregorian date of a day number counted from 1970-01-01.
///
/// Works on years that begin in March, so that the leap day comes last, within cycles of 400 years
/// (146,097 days).
fn civil(day_number: i64) -> (i64, i64, i64) {
    let shifted = day_number + 719_468; // days from 0000-03-01
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (
        year_of_cycle + cycle * 400 + i64::from(month <= 2),
        month,
        day,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fit_their_magnitude() {
        assert_eq!(seconds(0.008_214_3), "8.21 ms");
        assert_eq!(seconds(12.34), "12.3 s");
        assert_eq!(seconds(3.2e-7), "320 ns");
        assert_eq!(seconds(200.0), "3 min 20 s");
        assert_eq!(duration(12_000.0), "3 h 20 min");
        assert_eq!(bytes(13_000_000.0), "12.4 MiB");
        assert_eq!(bytes(12.0), "12 B");
        assert_eq!(factor(12.34), "12.3×");
    }

    #[test]
    fn percentages_have_a_sign_and_no_minus_zero() {
        assert_eq!(percent(1.024), "+2.4 %");
        assert_eq!(percent(0.997), "−0.3 %");
        assert_eq!(percent(0.999_99), "±0.0 %");
    }

    #[test]
    fn dates_across_leap_days() {
        assert_eq!(calendar_date(0), "1970-01-01");
        assert_eq!(calendar_date(951_782_400), "2000-02-29");
        assert_eq!(calendar_date(951_868_800), "2000-03-01");
        assert_eq!(calendar_date(-86_400), "1969-12-31");
        assert_eq!(clock_time(1_772_932_500), "2026-03-08 01:15 UTC");
    }
}
