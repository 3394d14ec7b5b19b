//! OpenMetrics text: gauges that a scraper (Prometheus' node exporter's text folder, a push gateway) takes.

use crate::Measured;
use std::fmt::Write as _;

/// Writes results; labels say what was measured.
#[must_use]
pub fn write(measured: &[Measured]) -> String {
    let mut text = String::new();
    for (name, help, value) in [
        (
            "nightjar_benchmark_seconds",
            "Geometric mean of the steady iteration time over processes.",
            0,
        ),
        (
            "nightjar_benchmark_low_seconds",
            "Lower end of the 95 % interval.",
            1,
        ),
        (
            "nightjar_benchmark_high_seconds",
            "Upper end of the 95 % interval.",
            2,
        ),
    ] {
        let _ = write!(
            text,
            "# TYPE {name} gauge\n# UNIT {name} seconds\n# HELP {name} {help}\n"
        );
        for result in measured {
            let value = match (value, result.interval) {
                (0, _) => result.seconds,
                (1, Some((low, _))) => low,
                (2, Some((_, high))) => high,
                _ => continue,
            };
            let _ = writeln!(
                text,
                "{name}{{benchmark=\"{}\",mode=\"{}\",subject=\"{}\",commit=\"{}\",machine=\"{}\"}} {value:e}",
                label(&result.benchmark),
                label(&result.mode),
                label(&result.subject),
                label(result.sha.as_deref().unwrap_or_default()),
                label(&result.machine)
            );
        }
    }
    text + "# EOF\n"
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn labels_are_escaped_and_the_end_is_marked() {
        let mut all = crate::test::sample();
        all[0].machine = "a\"b\\c\n".into();
        let text = write(&all[..1]);
        assert!(text.contains(r#"machine="a\"b\\c\n""#), "{text}");
        assert!(text.ends_with("# EOF\n"));
        assert_eq!(text.matches("# TYPE").count(), 3);
    }
}
