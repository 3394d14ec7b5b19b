//! A module to its end, over as many processes as it takes.

use std::collections::HashSet;
use std::time::Instant;

use rayon::prelude::*;

use crate::PytestsError;
use crate::attempt::{End, attempt};
use crate::launcher::{Launcher, Limits};
use crate::outcome::{CaseEvent, CaseResult, ModuleOutcome, ModuleStatus, Outcome, micros};
use crate::sidefile::{Event, escape};

/// Run the test module `module` (without the `test.` package: `test_int`,
/// `test_asyncio.test_locks`) and report its cases as they come.
///
/// # Errors
/// Only when the VM cannot be started or the scratch folder fails; whatever
/// the tests or the VM do is in the [`ModuleOutcome`].
pub fn run_module(
    launcher: &Launcher,
    module: &str,
    limits: &Limits,
    on_event: &mut dyn FnMut(CaseEvent),
) -> Result<ModuleOutcome, PytestsError> {
    let scratch = tempfile::Builder::new()
        .prefix("pytests-")
        .tempdir()
        .map_err(|source| PytestsError::Scratch {
            module: module.to_owned(),
            source,
        })?;
    let began = Instant::now();
    let deadline = began + limits.module;
    let mut record = Record::default();
    let mut notes = Vec::new();
    let mut restarts = 0;
    let status = loop {
        record.begin_process();
        let done: String = record.done.iter().map(|name| escape(name) + "\n").collect();
        let before = record.done.len();
        let (end, output) = attempt(
            launcher,
            module,
            scratch.path(),
            &done,
            limits,
            deadline,
            &mut |event| {
                record.take(event, on_event);
            },
        )?;
        let reason = end.reason(limits);
        match record.phase {
            Phase::Unloadable(ref why) => break ModuleStatus::DoesNotLoad(why.clone()),
            Phase::Skipped(ref why) => break ModuleStatus::Skipped(why.clone()),
            Phase::Starting | Phase::Loading if restarts == 0 => {
                let last = last_line(&output)
                    .map(|line| format!(": {line}"))
                    .unwrap_or_default();
                break ModuleStatus::DoesNotLoad(format!("{reason} while loading{last}"));
            }
            Phase::Starting | Phase::Loading => {
                notes.push(format!("{reason} while loading again"));
                break ModuleStatus::Ran;
            }
            Phase::Done => {
                if !clean_exit(&end) {
                    notes.push(format!("{reason} after the last case"));
                }
                break ModuleStatus::Ran;
            }
            // The driver closed the case in flight itself.
            Phase::Stopped => {}
            Phase::Running => record.charge(&end, &reason, &output, &mut notes, on_event),
        }
        if record.remaining() == 0 {
            break ModuleStatus::Ran;
        }
        if restarts == limits.restarts || Instant::now() >= deadline {
            let why = if restarts == limits.restarts {
                "too many restarts"
            } else {
                "time is over"
            };
            notes.push(format!("{} cases not run: {why}", record.remaining()));
            break ModuleStatus::Ran;
        }
        if record.done.len() == before {
            notes.push(format!("{reason}, and no case came to an end"));
            break ModuleStatus::Ran;
        }
        restarts += 1;
        let id = record.cases.last().map(|case| case.id.clone());
        on_event(CaseEvent::Restarting { id, reason });
    };
    notes.splice(0..0, std::mem::take(&mut record.notes));
    Ok(ModuleOutcome {
        module: module.to_owned(),
        status,
        not_run: record.unreached(),
        cases: record.cases,
        restarts,
        notes,
        wall_us: micros(began.elapsed()),
        cpu_us: record.cpu_us,
    })
}

/// Run `modules` on `threads` threads; the result has their order. `on_event`
/// gets the module's name with each event and is called from any thread.
///
/// # Errors
/// The first [`PytestsError`] of a module.
pub fn run_modules(
    launcher: &Launcher,
    modules: &[String],
    limits: &Limits,
    threads: usize,
    on_event: &(dyn Fn(&str, CaseEvent) + Sync),
) -> Result<Vec<ModuleOutcome>, PytestsError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| PytestsError::Threads { threads, source })?;
    pool.install(|| {
        modules
            .par_iter()
            .with_max_len(1)
            .map(|module| {
                run_module(launcher, module, limits, &mut |event| {
                    on_event(module, event)
                })
            })
            .collect()
    })
}

/// How far the present process has come.
///
/// ```text
/// Starting -> Loading -> Running -> Done | Stopped
///                 \-> Unloadable | Skipped
/// ```
/// A process may die in any of the first three.
#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Starting,
    Loading,
    Unloadable(String),
    Skipped(String),
    Running,
    Stopped,
    Done,
}

/// What is known of the module so far.
#[derive(Debug, Default)]
struct Record {
    phase: Phase,
    /// Every case ever planned, in order.
    planned: Vec<String>,
    known: HashSet<String>,
    cases: Vec<CaseResult>,
    done: HashSet<String>,
    in_flight: Option<(String, Instant)>,
    /// Cases this process said it would run.
    waiting: usize,
    notes: Vec<String>,
    cpu_us: u64,
}

impl Record {
    fn begin_process(&mut self) {
        self.phase = Phase::Starting;
        self.in_flight = None;
        self.waiting = 0;
    }

    fn take(&mut self, event: Event, on_event: &mut dyn FnMut(CaseEvent)) {
        match event {
            Event::Loading => self.phase = Phase::Loading,
            Event::NoLoad(why) => self.phase = Phase::Unloadable(why),
            Event::SkipModule(why) => self.phase = Phase::Skipped(why),
            Event::Plan(id) => {
                self.waiting += 1;
                if self.known.insert(id.clone()) {
                    self.planned.push(id);
                }
            }
            Event::Ready => {
                self.phase = Phase::Running;
                on_event(CaseEvent::Loaded {
                    cases: self.waiting,
                });
            }
            Event::Start(id) => {
                self.in_flight = Some((id.clone(), Instant::now()));
                on_event(CaseEvent::Started { id });
            }
            Event::End(case) => {
                self.in_flight = None;
                self.finish(case, on_event);
            }
            Event::Fixture {
                place,
                outcome,
                detail,
            } => {
                self.fixture(&place, outcome, &detail, on_event);
            }
            Event::Stopped(why) => {
                self.phase = Phase::Stopped;
                self.notes.push(format!("stopped by {why}"));
            }
            Event::Done { cpu_us } => {
                self.phase = Phase::Done;
                self.cpu_us += cpu_us;
            }
        }
    }

    fn finish(&mut self, case: CaseResult, on_event: &mut dyn FnMut(CaseEvent)) {
        if self.done.insert(case.id.clone()) {
            // A case that was not planned comes from a suite that makes its
            // cases while it runs.
            if self.known.insert(case.id.clone()) {
                self.planned.push(case.id.clone());
            }
            self.cases.push(case.clone());
            on_event(CaseEvent::Finished(case));
        }
    }

    /// A set-up that failed or skipped decides all cases below it; a tear-down
    /// is a note. `place` reads "setUpClass (package.module.Class)".
    fn fixture(
        &mut self,
        place: &str,
        outcome: Outcome,
        detail: &str,
        on_event: &mut dyn FnMut(CaseEvent),
    ) {
        let parts = place
            .split_once(" (")
            .and_then(|(method, rest)| Some((method, rest.strip_suffix(')')?)));
        let Some((method @ ("setUpClass" | "setUpModule"), owner)) = parts else {
            self.notes.push(format!("{place}: {outcome}: {detail}"));
            return;
        };
        let below = |id: &str| {
            id.strip_prefix(owner)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| method == "setUpModule" || !rest.contains('.'))
        };
        let members: Vec<String> = self
            .planned
            .iter()
            .filter(|id| !self.done.contains(*id) && below(id))
            .cloned()
            .collect();
        for id in members {
            let detail = format!("{method}: {detail}");
            self.finish(
                CaseResult {
                    id,
                    outcome,
                    detail,
                    wall_us: 0,
                },
                on_event,
            );
        }
    }

    /// The process died while cases were running: charge the one in flight,
    /// or, between two cases, the next one, so that the module always gets on.
    fn charge(
        &mut self,
        end: &End,
        reason: &str,
        output: &str,
        notes: &mut Vec<String>,
        on_event: &mut dyn FnMut(CaseEvent),
    ) {
        let outcome = match end {
            End::Hung | End::ModuleTime => Outcome::Timeout,
            End::Exited(_) | End::Memory(_) | End::Output(_) | End::HungAtExit => Outcome::Crash,
        };
        let mut detail = reason.to_owned();
        if let (End::Exited(_), Some(line)) = (end, last_line(output)) {
            detail = format!("{detail}; output ends: {line}");
        }
        let (id, wall_us) = match self.in_flight.take() {
            Some((id, since)) => (id, micros(since.elapsed())),
            None if *end == End::ModuleTime => return,
            None => {
                let Some(next) = self.planned.iter().find(|id| !self.done.contains(*id)) else {
                    notes.push(format!("{reason} after the last case"));
                    return;
                };
                detail = format!("before the case began: {detail}");
                (next.clone(), 0)
            }
        };
        self.finish(
            CaseResult {
                id,
                outcome,
                detail,
                wall_us,
            },
            on_event,
        );
    }

    fn remaining(&self) -> usize {
        self.planned
            .iter()
            .filter(|id| !self.done.contains(*id))
            .count()
    }

    fn unreached(&self) -> Vec<String> {
        self.planned
            .iter()
            .filter(|id| !self.done.contains(*id))
            .cloned()
            .collect()
    }
}

fn clean_exit(end: &End) -> bool {
    matches!(end, End::Exited(status) if status.success())
}

/// The last line with text, cut to 200 characters.
fn last_line(output: &str) -> Option<String> {
    let line = output
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}
