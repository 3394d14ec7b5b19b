//! Exit codes. The most severe wins.

use std::process::ExitCode;

/// What a command's end says to the program that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: nothing to report.
    Clean,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: provisional alerts.
    Provisional,
    /// 4: a confirmed regression.
    Regression,
    /// 5: library tests fail that passed before.
    TestFailures,
    /// 6: our own machinery or the machine failed.
    Infrastructure,
    /// 7: the head does not build, crashes or gives wrong output.
    HeadBroken,
    /// 0, 1, 125: what `git bisect run` wants to know.
    Judged(u8),
    /// 128: nothing could be judged for a reason that is not the commit's. `git bisect run` takes any code from 1 to 127 but 125 for a bad
    /// commit, and stops at this one.
    NotJudged,
    /// 130, 143: ended by this signal.
    Signal(i32),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Usage => 2,
            Exit::Provisional => 3,
            Exit::Regression => 4,
            Exit::TestFailures => 5,
            Exit::Infrastructure => 6,
            Exit::HeadBroken => 7,
            Exit::Judged(code) => code,
            Exit::NotJudged => 128,
            Exit::Signal(signal) => u8::try_from(128 + signal).unwrap_or(255),
        }
    }

    /// The more severe of two; a signal outweighs all, since the run is not over.
    pub(crate) fn or(self, other: Exit) -> Exit {
        if other.code() > self.code() {
            other
        } else {
            self
        }
    }

    /// What it means, for people.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Clean => "clean",
            Exit::Usage => "wrong usage",
            Exit::Provisional => "provisional alerts",
            Exit::Regression => "a confirmed regression",
            Exit::TestFailures => "library tests fail that passed before",
            Exit::Infrastructure => "the machinery failed for some jobs",
            Exit::HeadBroken => "the head does not build, crashes or gives wrong output",
            Exit::Judged(_) => "judged",
            Exit::NotJudged => "nothing could be judged",
            Exit::Signal(_) => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_most_severe_wins() {
        let all = [
            Exit::TestFailures,
            Exit::Clean,
            Exit::HeadBroken,
            Exit::Infrastructure,
            Exit::Provisional,
        ];
        assert_eq!(
            all.into_iter().fold(Exit::Clean, Exit::or),
            Exit::HeadBroken
        );
        assert_eq!(Exit::HeadBroken.or(Exit::Signal(2)).code(), 130);
        assert_eq!(Exit::Signal(15).code(), 143);
    }
}
