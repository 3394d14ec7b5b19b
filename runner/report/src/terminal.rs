//! What a person sees while a run goes on.
//!
//! On a terminal the last line shows where the run is and how long it will still take; everything worth keeping is printed above it. Elsewhere
//! (a log of a build bot) there are plain lines only: builds, bad outcomes, and the state of things now and then.

use crate::sink_error;
use measure::Nanos;
use runner_core::session::{BuildOutcome, RunEnd};
use runner_core::{Event, Outcome, Sink, SinkError};
use std::io::Write;
use std::time::{Duration, Instant};

/// Prints progress to `out`.
#[derive(Debug)]
pub struct Terminal<W: Write> {
    out: W,
    live: bool,
    status_shown: bool,
    benches: Pace,
    modules: u32,
    cases: u32,
    bad_cases: u32,
    next_plain: Instant,
    /// Reason of the last job that was not run: hundreds may share one.
    not_run: String,
}

/// How fast the sequence of processes goes.
#[derive(Debug)]
struct Pace {
    first: Option<(u32, Instant)>,
}

/// Time between two lines of progress where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

impl<W: Write> Terminal<W> {
    /// `live`: whether `out` is a terminal on which a line can be rewritten.
    pub fn new(out: W, live: bool) -> Terminal<W> {
        Terminal {
            out,
            live,
            status_shown: false,
            benches: Pace { first: None },
            modules: 0,
            cases: 0,
            bad_cases: 0,
            next_plain: Instant::now() + PLAIN_EVERY,
            not_run: String::new(),
        }
    }

    fn line(&mut self, text: &str) -> std::io::Result<()> {
        if std::mem::take(&mut self.status_shown) {
            write!(self.out, "\r\x1b[K")?;
        }
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    fn status(&mut self, text: &str) -> std::io::Result<()> {
        if self.live {
            self.status_shown = true;
            let text: String = text.chars().take(110).collect();
            write!(self.out, "\r\x1b[K{text}")?;
            return self.out.flush();
        }
        if Instant::now() >= self.next_plain {
            self.next_plain = Instant::now() + PLAIN_EVERY;
            return self.line(text);
        }
        Ok(())
    }

    fn show(&mut self, event: &Event) -> std::io::Result<()> {
        match event {
            Event::RunStarted {
                run,
                tier,
                jobs,
                resumed,
            } => {
                let verb = if *resumed { "takes up" } else { "starts" };
                self.line(&format!("run {run} ({tier}) {verb}: {jobs} jobs"))
            }
            Event::BuildStarted { job, .. } => self.status(&format!("{job} ...")),
            Event::BuildFinished { job, report, .. } => {
                let text = match report.outcome {
                    BuildOutcome::Ok if !report.program.is_empty() => {
                        format!("{job}: {} ({})", report.program, report.version)
                    }
                    BuildOutcome::Ok if report.cached => format!("{job}: from the cache"),
                    BuildOutcome::Ok => format!("{job}: built in {}", report.duration),
                    other => format!("{job}: {}: {}", other.as_str(), report.reason),
                };
                self.line(&text)
            }
            Event::ProcessStarted {
                job,
                process,
                position,
                of_positions,
                ..
            } => {
                let left = self.benches.left(*position, *of_positions);
                self.status(&format!(
                    "process {} of {of_positions}, {left}: {job} #{process}",
                    position + 1
                ))
            }
            Event::JobFinished {
                outcome: Outcome::NotRun,
                reason,
                ..
            } if *reason == self.not_run => Ok(()),
            Event::JobFinished {
                job,
                outcome: Outcome::NotRun,
                reason,
                ..
            } => {
                self.not_run.clone_from(reason);
                self.line(&format!(
                    "{job} and what else depends on it: not run: {reason}"
                ))
            }
            Event::JobFinished {
                job,
                outcome,
                reason,
                ..
            } if *outcome != Outcome::Ok => self.line(&format!("{job}: {outcome}: {reason}")),
            Event::TestCaseFinished { outcome, .. } => {
                self.cases += 1;
                self.bad_cases += u32::from(outcome.is_bad());
                Ok(())
            }
            Event::TestModuleFinished {
                job,
                outcome,
                reason,
                ..
            } => {
                self.modules += 1;
                if *outcome != Outcome::Ok {
                    self.line(&format!("{job}: {outcome}: {reason}"))?;
                }
                let (modules, cases, bad) = (self.modules, self.cases, self.bad_cases);
                self.status(&format!(
                    "library tests: {modules} modules, {cases} cases, {bad} not passing"
                ))
            }
            Event::Note { text } => self.line(text),
            Event::RunFinished { end } => {
                let text = match end {
                    RunEnd::Complete => "run complete".to_owned(),
                    RunEnd::Deadline => "run ended at its deadline with what it has".to_owned(),
                    RunEnd::Interrupted { signal } => {
                        format!(
                            "run interrupted by signal {signal}; the same command takes it up again"
                        )
                    }
                };
                self.line(&text)
            }
            Event::JobStarted { .. }
            | Event::IterationFinished { .. }
            | Event::ProcessFinished { .. }
            | Event::JobFinished { .. }
            | Event::TestModuleStarted { .. } => Ok(()),
        }
    }
}

impl<W: Write> Sink for Terminal<W> {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        match self.show(event) {
            // Whoever read our output went away (`| head`); the run matters more.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(sink_error("terminal")(error.into())),
            Ok(()) => Ok(()),
        }
    }
}

impl Pace {
    fn left(&mut self, position: u32, of: u32) -> String {
        let (start, since) = *self.first.get_or_insert_with(|| (position, Instant::now()));
        let done = position.saturating_sub(start);
        if done < 3 {
            return "time left unknown yet".into();
        }
        let each = since.elapsed().as_secs_f64() / f64::from(done);
        let left = Nanos::from(Duration::from_secs_f64(
            each * f64::from(of.saturating_sub(position)),
        ));
        format!("{left} left")
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn shown(live: bool, events: &[Event]) -> String {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, live);
        for event in events {
            terminal.event(event).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    fn process(position: u32) -> Event {
        Event::ProcessStarted {
            job: "bench/vm@a/opt/micro/x".into(),
            process: 0,
            position,
            of_positions: 9,
            cpu: None,
            hash_seed: "1".into(),
        }
    }

    #[test]
    fn a_log_gets_lines_without_control_characters() {
        let bad = Event::JobFinished {
            job: "bench/vm@a/opt/micro/x".into(),
            outcome: Outcome::Crash,
            reason: "process 1: SIGSEGV".into(),
            duration: Nanos(1),
        };
        let text = shown(
            false,
            &[
                process(0),
                bad,
                Event::RunFinished {
                    end: RunEnd::Complete,
                },
            ],
        );
        assert_eq!(
            text,
            "bench/vm@a/opt/micro/x: crash: process 1: SIGSEGV\nrun complete\n"
        );
    }

    #[test]
    fn a_terminal_gets_a_line_that_is_rewritten() {
        let text = shown(
            true,
            &[
                process(0),
                process(4),
                Event::Note {
                    text: "pypy: not found".into(),
                },
            ],
        );
        assert!(text.contains("\r\x1b[Kprocess 5 of 9, "), "{text:?}");
        assert!(text.ends_with("\r\x1b[Kpypy: not found\n"), "{text:?}");
    }
}
