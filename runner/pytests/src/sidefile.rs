//! The driver's report, read while it grows.
//!
//! A line counts when its newline has arrived; what a dying process left half
//! written is not an event. The fields are described in `driver.py`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::outcome::{CaseResult, Outcome};

/// One line of the report. Names are kept as written, in escaped form, where
/// they go back to a driver; everything else is unescaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Loading,
    NoLoad(String),
    SkipModule(String),
    Plan(String),
    Ready,
    Start(String),
    End(CaseResult),
    Fixture {
        place: String,
        outcome: Outcome,
        detail: String,
    },
    Stopped(String),
    Done {
        cpu_us: u64,
    },
}

/// A report being read.
#[derive(Debug)]
pub(crate) struct SideFile {
    file: File,
    rest: Vec<u8>,
}

impl SideFile {
    /// Create an empty report at `path`.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        File::create(path)?;
        Ok(Self {
            file: File::open(path)?,
            rest: Vec::new(),
        })
    }

    /// The events that arrived since the last call.
    pub(crate) fn read(&mut self) -> io::Result<Vec<Event>> {
        self.file.read_to_end(&mut self.rest)?;
        let Some(end) = self.rest.iter().rposition(|&b| b == b'\n') else {
            return Ok(Vec::new());
        };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        Ok(String::from_utf8_lossy(&whole)
            .lines()
            .filter_map(parse)
            .collect())
    }
}

/// `None` for a line that is not an event: a test wrote to the file.
fn parse(line: &str) -> Option<Event> {
    let mut fields = line.split('\t').map(unescape);
    let kind = fields.next()?;
    let mut next = || fields.next();
    Some(match kind.as_str() {
        "loading" => Event::Loading,
        "noload" => Event::NoLoad(next()?),
        "skipmodule" => Event::SkipModule(next()?),
        "plan" => Event::Plan(next()?),
        "ready" => Event::Ready,
        "start" => Event::Start(next()?),
        "end" => {
            let (id, outcome, wall_us) = (next()?, next()?, next()?);
            Event::End(CaseResult {
                id,
                outcome: Outcome::from_word(&outcome)?,
                wall_us: wall_us.parse().ok()?,
                detail: next()?,
            })
        }
        "fixture" => {
            let (place, outcome) = (next()?, next()?);
            Event::Fixture {
                place,
                outcome: Outcome::from_word(&outcome)?,
                detail: next()?,
            }
        }
        "stopped" => Event::Stopped(next()?),
        "done" => Event::Done {
            cpu_us: next()?.parse().ok()?,
        },
        _ => return None,
    })
}

fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

/// A name in the form of a line of the driver's list of done cases.
pub(crate) fn escape(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn names_survive_escaping() {
        for name in ["plain", "a\tb", "a\\tb", "line\nline", "\\", "é \\\\ \r"] {
            assert_eq!(unescape(&escape(name)), name);
            assert!(!escape(name).contains(['\t', '\n', '\r']));
        }
    }

    #[test]
    fn a_half_written_line_waits_and_a_foreign_one_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let mut side = SideFile::create(&path).unwrap();
        let mut writer = File::options().append(true).open(&path).unwrap();
        writer
            .write_all(b"loading\nnonsense here\nplan\ta.b\nend\ta.b\tpa")
            .unwrap();
        assert_eq!(
            side.read().unwrap(),
            [Event::Loading, Event::Plan("a.b".into())]
        );
        assert_eq!(side.read().unwrap(), []);
        writer
            .write_all(b"ss\t17\t\nend\tx\tnonsense\t1\t\n")
            .unwrap();
        let [Event::End(case)] = &side.read().unwrap()[..] else {
            panic!("one event")
        };
        assert_eq!(
            (case.id.as_str(), case.outcome, case.wall_us),
            ("a.b", Outcome::Pass, 17)
        );
    }
}
