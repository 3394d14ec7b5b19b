//! JUnit XML, the format build bots read: one suite per (subject, mode) of library tests, one for builds, one for
//! benchmarks.
//!
//! The file is written when the run ends, whole and in one rename. A resumed run feeds the log of its first part
//! in before (see [`JUnit::event`]); later news about a job replace earlier ones.

use crate::sink_error;
use measure::Nanos;
use runner_core::{CaseOutcome, Event, Outcome, Sink, SinkError};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Collects outcomes and writes the file at the run's end.
#[derive(Debug)]
pub struct JUnit {
    path: PathBuf,
    run: String,
    jobs: BTreeMap<String, Job>,
}

#[derive(Debug, Default, Clone)]
struct Job {
    outcome: Option<Outcome>,
    reason: String,
    duration: Nanos,
    cases: Vec<(String, CaseOutcome, Nanos, String)>,
}

impl JUnit {
    /// Will write to `path`.
    #[must_use]
    pub fn new(path: &Path) -> JUnit {
        JUnit {
            path: path.into(),
            run: String::new(),
            jobs: BTreeMap::new(),
        }
    }

    /// Takes in an event without writing.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run, .. } => self.run.clone_from(run),
            Event::BuildFinished { job, report, .. } => {
                self.end(
                    job,
                    report.outcome.of_job(),
                    &report.reason,
                    report.duration,
                );
            }
            Event::JobFinished {
                job,
                outcome,
                reason,
                duration,
            } => self.end(job, *outcome, reason, *duration),
            Event::TestModuleStarted { job, .. } => {
                drop(self.jobs.insert(job.clone(), Job::default()))
            }
            Event::TestCaseFinished {
                job,
                case,
                outcome,
                duration,
                message,
            } => {
                let case = (case.clone(), *outcome, *duration, message.clone());
                self.jobs.entry(job.clone()).or_default().cases.push(case);
            }
            Event::TestModuleFinished {
                job,
                outcome,
                reason,
                duration,
                ..
            } => self.end(job, *outcome, reason, *duration),
            _ => {}
        }
    }

    fn end(&mut self, job: &str, outcome: Outcome, reason: &str, duration: Nanos) {
        let entry = self.jobs.entry(job.into()).or_default();
        entry.outcome = Some(outcome);
        entry.reason = reason.into();
        entry.duration = duration;
    }

    /// The document.
    #[must_use]
    pub fn xml(&self) -> String {
        let mut suites: BTreeMap<String, Vec<Case>> = BTreeMap::new();
        for (key, job) in &self.jobs {
            let Some(outcome) = job.outcome else { continue };
            let parts: Vec<&str> = key.splitn(4, '/').collect();
            match parts.as_slice() {
                ["tests", side, mode, module] => {
                    let suite = suites.entry(format!("tests {side} {mode}")).or_default();
                    suite.extend(job.cases.iter().map(|case| Case::of_test(module, case)));
                    if outcome != Outcome::Ok {
                        suite.push(Case::of_job(module, "(module)", job, outcome));
                    }
                }
                [kind @ ("bench" | "count"), side, mode, benchmark] => {
                    let suite = suites
                        .entry(format!("benchmarks {side} {mode}"))
                        .or_default();
                    suite.push(Case::of_job(kind, benchmark, job, outcome));
                }
                _ => suites
                    .entry("builds".into())
                    .or_default()
                    .push(Case::of_job("build", key, job, outcome)),
            }
        }
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        let all: Vec<&Case> = suites.values().flatten().collect();
        let _ = writeln!(
            xml,
            "<testsuites name=\"nightjar {}\" {}>",
            escape(&self.run),
            counts(&all)
        );
        for (name, cases) in &suites {
            let cases: Vec<&Case> = cases.iter().collect();
            let _ = writeln!(
                xml,
                " <testsuite name=\"{}\" {}>",
                escape(name),
                counts(&cases)
            );
            let _ = writeln!(xml, "  <properties>{}</properties>", properties(name));
            for case in cases {
                case.write(&mut xml);
            }
            xml.push_str(" </testsuite>\n");
        }
        xml.push_str("</testsuites>\n");
        xml
    }
}

fn properties(suite: &str) -> String {
    let words: Vec<&str> = suite.split(' ').collect();
    let [_, side, mode] = words.as_slice() else {
        return String::new();
    };
    format!(
        "<property name=\"subject\" value=\"{}\"/><property name=\"mode\" value=\"{}\"/>",
        escape(side),
        escape(mode)
    )
}

impl Sink for JUnit {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.take(event);
        if !matches!(event, Event::RunFinished { .. }) {
            return Ok(());
        }
        let part = self.path.with_extension("xml.part");
        std::fs::write(&part, self.xml())
            .and_then(|()| std::fs::rename(&part, &self.path))
            .map_err(|error| sink_error("JUnit file")(error.into()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Failure,
    Error,
    Skipped,
}

struct Case {
    class: String,
    name: String,
    kind: Kind,
    duration: Nanos,
    word: &'static str,
    message: String,
}

impl Case {
    fn of_test(
        module: &str,
        (name, outcome, duration, message): &(String, CaseOutcome, Nanos, String),
    ) -> Case {
        let kind = match outcome {
            CaseOutcome::Pass | CaseOutcome::Xfail => Kind::Good,
            CaseOutcome::Fail | CaseOutcome::Xpass => Kind::Failure,
            CaseOutcome::Error | CaseOutcome::Timeout | CaseOutcome::Crash => Kind::Error,
            CaseOutcome::Skip => Kind::Skipped,
        };
        Case {
            class: module.into(),
            name: name.clone(),
            kind,
            duration: *duration,
            word: outcome.as_str(),
            message: message.clone(),
        }
    }

    fn of_job(class: &str, name: &str, job: &Job, outcome: Outcome) -> Case {
        let kind = match outcome {
            Outcome::Ok => Kind::Good,
            Outcome::NotRun | Outcome::Unsupported => Kind::Skipped,
            Outcome::Fail | Outcome::WrongOutput => Kind::Failure,
            _ => Kind::Error,
        };
        Case {
            class: class.into(),
            name: name.into(),
            kind,
            duration: job.duration,
            word: outcome.as_str(),
            message: job.reason.clone(),
        }
    }

    fn write(&self, xml: &mut String) {
        let head = format!(
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.6}\"",
            escape(&self.class),
            escape(&self.name),
            self.duration.secs()
        );
        let tag = match self.kind {
            Kind::Good => {
                let _ = writeln!(xml, "{head}/>");
                return;
            }
            Kind::Failure => "failure",
            Kind::Error => "error",
            Kind::Skipped => "skipped",
        };
        let line = self.message.lines().next_back().unwrap_or("");
        let _ = writeln!(
            xml,
            "{head}><{tag} type=\"{}\" message=\"{}\">{}</{tag}></testcase>",
            self.word,
            escape(line),
            escape(&self.message)
        );
    }
}

fn counts(cases: &[&Case]) -> String {
    let of = |kind| cases.iter().filter(|case| case.kind == kind).count();
    let time: f64 = cases.iter().map(|case| case.duration.secs()).sum();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{time:.6}\"",
        cases.len(),
        of(Kind::Failure),
        of(Kind::Error),
        of(Kind::Skipped)
    )
}

/// XML knows five entities, and no control characters but tab and line ends.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn suites_count_what_they_hold_and_names_are_escaped() {
        let mut junit = JUnit::new(Path::new("unused"));
        let case = |name: &str, outcome, message: &str| Event::TestCaseFinished {
            job: "tests/vm@a/opt/test_x".into(),
            case: name.into(),
            outcome,
            duration: Nanos(2_000_000),
            message: message.into(),
        };
        let done = |outcome| Event::TestModuleFinished {
            job: "tests/vm@a/opt/test_x".into(),
            module: "test_x".into(),
            outcome,
            reason: String::new(),
            duration: Nanos(1),
        };
        let start = Event::TestModuleStarted {
            job: "tests/vm@a/opt/test_x".into(),
            module: "test_x".into(),
        };
        // The first attempt was cut off by a kill; only the second counts.
        for event in [
            start.clone(),
            case("old", CaseOutcome::Pass, ""),
            start,
            case("a<b", CaseOutcome::Pass, ""),
            case(
                "c",
                CaseOutcome::Fail,
                "Traceback\u{1b}\nAssertionError: 1 & 2",
            ),
            case("d", CaseOutcome::Skip, "why"),
            case("e", CaseOutcome::Crash, "SIGSEGV"),
            done(Outcome::Ok),
        ] {
            junit.take(&event);
        }
        let xml = junit.xml();
        assert!(xml.contains("<testsuite name=\"tests vm@a opt\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""), "{xml}");
        assert!(
            xml.contains("name=\"a&lt;b\"") && !xml.contains("old") && !xml.contains('\u{1b}'),
            "{xml}"
        );
        assert!(
            xml.contains("message=\"AssertionError: 1 &amp; 2\""),
            "{xml}"
        );
        assert!(
            xml.contains("<property name=\"mode\" value=\"opt\"/>"),
            "{xml}"
        );
    }
}
