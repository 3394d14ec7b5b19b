//! `build`: what came of building a commit, or which program was found on the machine.

use crate::{BuildId, CommitId, MachineId, Result, Store, SubjectId, content_hash, now_s};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// Outcome of a build, or the description of a found program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    pub command: String,
    pub toolchain: String,
    /// `ok`, `fail`, `timeout`, `crash`, `out-of-memory` or `infrastructure`.
    pub outcome: String,
    /// One line; empty when ok.
    pub reason: String,
    /// Run path of a program found on the machine; empty for built ones.
    pub program: String,
    /// What its version command prints.
    pub version: String,
    pub build_flags: String,
    pub binary_sha256: Option<String>,
    pub binary_bytes: Option<u64>,
    pub text_bytes: Option<u64>,
    pub text_sha256: Option<String>,
    /// Wall time of the build command, 0 when the program came from the cache.
    pub duration_ns: u64,
    pub log: Vec<u8>,
}

impl Store {
    /// Takes in a build. The same outcome and binary under the same key is the row already there; anything else is a new revision of it.
    ///
    /// `commit` is `None` for a program found on the machine; its identity is then the program's own hash.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn build(
        &mut self,
        subject: SubjectId,
        commit: Option<CommitId>,
        machine: MachineId,
        build: &Build,
    ) -> Result<BuildId> {
        let what = match commit {
            Some(id) => {
                self.conn
                    .query_row("SELECT sha FROM \"commit\" WHERE id = ?", [id], |row| {
                        row.get(0)
                    })?
            }
            None => format!(
                "{} {}",
                build.program,
                build.binary_sha256.as_deref().unwrap_or("")
            ),
        };
        let name: String =
            self.conn
                .query_row("SELECT name FROM subject WHERE id = ?", [subject], |row| {
                    row.get(0)
                })?;
        let fingerprint: String = self.conn.query_row(
            "SELECT fingerprint FROM machine WHERE id = ?",
            [machine],
            |row| row.get(0),
        )?;
        let key = content_hash(
            [&name, &what, &build.command, &build.toolchain, &fingerprint]
                .map(|part: &String| part.as_bytes()),
        );
        let newest: Option<(BuildId, i64, String, Option<String>)> = self
            .conn
            .query_row(
                "SELECT id, revision, outcome, binary_sha256 FROM build WHERE key_sha256 = ? \
                 ORDER BY revision DESC LIMIT 1",
                [&key],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let revision = match newest {
            Some((id, _, outcome, binary))
                if outcome == build.outcome && binary == build.binary_sha256 =>
            {
                return Ok(id);
            }
            Some((_, revision, ..)) => revision + 1,
            None => 0,
        };
        let log = if build.log.is_empty() {
            None
        } else {
            Some(self.artifact("build-log", &build.log)?)
        };
        Ok(self.conn.query_row(
            "INSERT INTO build (subject_id, commit_id, machine_id, key_sha256, revision, command, toolchain, outcome, \
             reason, program, version, build_flags, binary_sha256, binary_bytes, text_bytes, text_sha256, duration_ns, \
             log_sha256, finished_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            params![
                subject,
                commit,
                machine,
                key,
                revision,
                build.command,
                build.toolchain,
                build.outcome,
                build.reason,
                build.program,
                build.version,
                build.build_flags,
                build.binary_sha256,
                build.binary_bytes.map(|n| n as i64),
                build.text_bytes.map(|n| n as i64),
                build.text_sha256,
                build.duration_ns as i64,
                log,
                now_s()
            ],
            |row| row.get(0),
        )?)
    }
}
