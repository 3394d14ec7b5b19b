//! The event log: one JSON object a line, flushed after each.

use crate::sink_error;
use runner_core::{Event, Sink, SinkError};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// Appends events to a file.
#[derive(Debug)]
pub struct Jsonl {
    file: File,
}

impl Jsonl {
    /// Opens `path` for appending. A torn last line, left by a kill, is closed so that the next event has a line of its own.
    ///
    /// # Errors
    /// What the file system says.
    pub fn append(path: &Path) -> std::io::Result<Jsonl> {
        let torn =
            std::fs::read(path).is_ok_and(|text| text.last().is_some_and(|byte| *byte != b'\n'));
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if torn {
            file.write_all(b"\n")?;
        }
        Ok(Jsonl { file })
    }
}

impl Sink for Jsonl {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let error = sink_error("event log");
        let mut line = serde_json::to_vec(event).map_err(|e| error(e.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| error(e.into()))
    }
}

/// Events of a log, oldest first; lines that are no events (torn by a kill) are left out. A missing file has none.
///
/// # Errors
/// What the file system says.
pub fn read(path: &Path) -> std::io::Result<Vec<Event>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut events = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        events.extend(serde_json::from_slice(&line?).ok());
    }
    Ok(events)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_torn_line_costs_one_event_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let note = |text: &str| Event::Note { text: text.into() };
        Jsonl::append(&path).unwrap().event(&note("a")).unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"event\":\"no")
            .unwrap();
        Jsonl::append(&path).unwrap().event(&note("b")).unwrap();
        assert_eq!(read(&path).unwrap(), [note("a"), note("b")]);
        assert_eq!(read(&dir.path().join("none")).unwrap(), []);
    }
}
