//! JUnit XML of the library tests of one commit: a suite per mode and module.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One case in one mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub mode: String,
    pub module: String,
    /// unittest's id.
    pub id: String,
    /// `pass`, `fail`, `error`, `skip`, `xfail`, `xpass`, `timeout` or `crash`.
    pub outcome: String,
    pub seconds: f64,
    pub message: String,
}

/// Writes the cases. `properties` go into each suite: machine, commit, run.
#[must_use]
pub fn write(name: &str, cases: &[Case], properties: &[(&str, &str)]) -> String {
    let mut suites: BTreeMap<(&str, &str), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        suites
            .entry((&case.mode, &case.module))
            .or_default()
            .push(case);
    }
    let all = Counts::of(cases.iter());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {}>\n",
        escape(name),
        all.attributes()
    );
    for ((mode, module), cases) in suites {
        let counts = Counts::of(cases.iter().copied());
        let _ = write!(
            xml,
            "<testsuite name=\"{} {}\" {}>\n<properties>\n<property name=\"mode\" value=\"{}\"/>\n",
            escape(mode),
            escape(module),
            counts.attributes(),
            escape(mode)
        );
        for (name, value) in properties {
            let _ = writeln!(
                xml,
                "<property name=\"{}\" value=\"{}\"/>",
                escape(name),
                escape(value)
            );
        }
        xml += "</properties>\n";
        for case in cases {
            one(&mut xml, case);
        }
        xml += "</testsuite>\n";
    }
    xml + "</testsuites>\n"
}

fn one(xml: &mut String, case: &Case) {
    let (class, name) = case.id.rsplit_once('.').unwrap_or((&case.module, &case.id));
    let _ = write!(
        xml,
        "<testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escape(class),
        escape(name),
        case.seconds
    );
    let element = match case.outcome.as_str() {
        "pass" | "xfail" => None,
        "skip" => Some("skipped"),
        "fail" | "xpass" => Some("failure"),
        _ => Some("error"),
    };
    match element {
        None => *xml += "/>\n",
        Some(element) => {
            let first = case.message.lines().last().unwrap_or_default();
            let _ = writeln!(
                xml,
                "><{element} message=\"{}\" type=\"{}\">{}</{element}></testcase>",
                escape(first),
                escape(&case.outcome),
                escape(&case.message)
            );
        }
    }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    seconds: f64,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Counts {
        let mut counts = Counts::default();
        for case in cases {
            counts.tests += 1;
            counts.seconds += case.seconds;
            match case.outcome.as_str() {
                "pass" | "xfail" => {}
                "skip" => counts.skipped += 1,
                "fail" | "xpass" => counts.failures += 1,
                _ => counts.errors += 1,
            }
        }
        counts
    }

    fn attributes(&self) -> String {
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\"",
            self.tests, self.failures, self.errors, self.skipped, self.seconds
        )
    }
}

/// Escapes text for XML 1.0, which has no place for most control characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' => out += "&#10;",
            '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod test {
    use super::*;

    pub(crate) fn cases() -> Vec<Case> {
        ["pass", "fail", "crash", "skip"]
            .into_iter()
            .map(|outcome| Case {
                mode: "opt".into(),
                module: "test_x".into(),
                id: format!("test.test_x.T.test_{outcome}"),
                outcome: outcome.into(),
                seconds: 0.5,
                message: if outcome == "pass" {
                    String::new()
                } else {
                    "a <b> & \u{1}\nEnd: \"x\"".into()
                },
            })
            .collect()
    }

    #[test]
    fn counts_agree_and_nothing_unescaped_is_left() {
        let xml = write("vm", &cases(), &[("machine", "box & co")]);
        assert!(
            xml.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"2.000\""),
            "{xml}"
        );
        assert!(!xml.contains('\u{1}') && xml.contains("box &amp; co"));
        assert!(xml.contains("message=\"End: &quot;x&quot;\""), "{xml}");
    }
}
