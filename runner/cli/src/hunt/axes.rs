//! Beyond the commit: which optimization pass, and which trace.
//!
//! Both need switches of the subject (`[subject.axes]` in the configuration): one that leaves a pass out, one that compiles only the
//! first n traces. Traces are numbered the same way in every run of a program, so "the first n" means the same thing each time.

use super::trial::{Seen, Trial};
use crate::config::Subject;
use anyhow::Result;
use bisect::failing::{Answer, Failing};
use bisect::{Ask, Limits, Line, Verdict};

/// Good runs that clear a pass of chance.
const REPEATS: usize = 3;
/// Most traces looked at.
const MOST_TRACES: usize = 1 << 16;

/// Passes without which commit `sha` does well; empty when there are none or the subject has no switch for them.
pub(crate) fn mending_passes(
    trial: &mut Trial<'_>,
    subject: &Subject,
    sha: &str,
) -> Result<Vec<String>> {
    let mut mending = Vec::new();
    if subject.axes.without_pass.is_empty() {
        return Ok(mending);
    }
    for pass in &subject.axes.passes {
        let arg = subject.axes.without_pass.replace("{pass}", pass);
        let mut well = 0;
        while well < REPEATS && trial.try_with(sha, std::slice::from_ref(&arg))? == Seen::Well {
            well += 1;
        }
        eprintln!(
            "without {pass}: {}",
            if well == REPEATS { "well" } else { "wrong" }
        );
        if well == REPEATS {
            mending.push(pass.clone());
        }
    }
    Ok(mending)
}

/// The number of the first trace that makes commit `sha` go wrong, from 1; `None` when that cannot be told.
pub(crate) fn first_bad_trace(
    trial: &mut Trial<'_>,
    subject: &Subject,
    sha: &str,
) -> Result<Option<usize>> {
    if subject.axes.traces.is_empty() {
        return Ok(None);
    }
    let mut with = |traces: usize| -> Result<Answer> {
        let arg = subject.axes.traces.replace("{n}", &traces.to_string());
        Ok(match trial.try_with(sha, &[arg])? {
            Seen::Well => Answer::Pass,
            Seen::Badly(_) => Answer::Fail,
            Seen::Value(_) | Seen::Untried(_) | Seen::Stopped => Answer::Broken,
        })
    };
    let mut enough = 1;
    while with(enough)? != Answer::Fail {
        enough *= 2;
        if enough > MOST_TRACES {
            return Ok(None);
        }
    }
    let mut search = Failing::new(Line::new(enough + 1), Limits::for_failures());
    loop {
        match search.next() {
            Ask::Try(traces) => search.tell(traces, with(traces)?),
            Ask::Done(Verdict::Found { first, last, .. }) if first == last => {
                return Ok(Some(first));
            }
            Ask::Done(_) => return Ok(None),
        }
    }
}
