//! Writes of `subject`, `"commit"` and `mode`: find the row or add it.

use crate::{CommitId, ModeId, Result, Store, SubjectId, content_hash};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// A program under test or a baseline.
#[derive(Debug, Clone)]
pub struct Subject {
    pub name: String,
    /// Built per commit from a repository, or found on the machine.
    pub is_repository: bool,
    pub is_baseline: bool,
    /// Repository as configured, or the resolved path of the program.
    pub location: String,
}

/// A commit on the first-parent line.
#[derive(Debug, Clone)]
pub struct Commit {
    pub sha: String,
    pub first_parent_sha: Option<String>,
    /// Position on the first-parent line, root = 0.
    pub seq: i64,
    pub author: String,
    pub author_time_s: i64,
    pub commit_time_s: i64,
    pub title: String,
    /// Hash of the watched paths; equal states build the same program.
    pub state_sha256: String,
}

/// Arguments, environment and configuration text that make a mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode {
    pub name: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub conf: String,
    /// `timing`, `stress` or `ablation`.
    pub purpose: String,
}

impl Store {
    /// Finds or adds a subject; its location follows the configuration.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn subject(&mut self, subject: &Subject) -> Result<SubjectId> {
        let kind = if subject.is_repository {
            "repository"
        } else {
            "program"
        };
        let role = if subject.is_baseline {
            "baseline"
        } else {
            "subject"
        };
        Ok(self.conn.query_row(
            "INSERT INTO subject (name, kind, role, location) VALUES (?, ?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, role = excluded.role, location = excluded.location \
             RETURNING id",
            params![subject.name, kind, role, subject.location],
            |row| row.get(0),
        )?)
    }

    /// The subject of that name, if there is one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn known_subject(&self, name: &str) -> Result<Option<SubjectId>> {
        Ok(self
            .conn
            .query_row("SELECT id FROM subject WHERE name = ?", [name], |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// Finds or adds a commit. A known commit keeps its row; only its place on the line may move (a rewritten history).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn commit(&mut self, subject: SubjectId, commit: &Commit) -> Result<CommitId> {
        Ok(self.conn.query_row(
            "INSERT INTO \"commit\" (subject_id, sha, first_parent_sha, seq, author, author_time_s, commit_time_s, \
             title, state_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (subject_id, sha) DO UPDATE SET seq = excluded.seq, state_sha256 = excluded.state_sha256 \
             RETURNING id",
            params![
                subject,
                commit.sha,
                commit.first_parent_sha,
                commit.seq,
                commit.author,
                commit.author_time_s,
                commit.commit_time_s,
                commit.title,
                commit.state_sha256
            ],
            |row| row.get(0),
        )?)
    }

    /// Finds or adds a mode by its definition.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn mode(&mut self, subject: SubjectId, mode: &Mode) -> Result<ModeId> {
        let args = serde_json::to_string(&mode.args).map_err(|source| crate::StoreError::Json {
            what: "mode arguments",
            source,
        })?;
        let env = serde_json::to_string(&mode.env).map_err(|source| crate::StoreError::Json {
            what: "mode environment",
            source,
        })?;
        let definition = content_hash([args.as_bytes(), env.as_bytes(), mode.conf.as_bytes()]);
        let known = self
            .conn
            .query_row(
                "SELECT id FROM mode WHERE subject_id = ? AND name = ? AND definition_sha256 = ?",
                params![subject, mode.name, definition],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        Ok(self.conn.query_row(
            "INSERT INTO mode (subject_id, name, args_json, env_json, conf, purpose, definition_sha256) \
             VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            params![subject, mode.name, args, env, mode.conf, mode.purpose, definition],
            |row| row.get(0),
        )?)
    }
}
