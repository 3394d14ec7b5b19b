//! `artifact`: content-addressed texts and files (build logs, outputs, messages).

use crate::{Result, Store, now_s, plain_sha256};
use rusqlite::{OptionalExtension, params};

impl Store {
    /// Keeps `content` and returns its hash; known content is not stored twice.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn artifact(&mut self, kind: &str, content: &[u8]) -> Result<String> {
        let sha256 = plain_sha256(content);
        self.conn
            .prepare_cached(
                "INSERT OR IGNORE INTO artifact (sha256, kind, size_bytes, content, created_s) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![sha256, kind, content.len() as i64, content, now_s()])?;
        Ok(sha256)
    }

    /// Content kept under `sha256`, if it is kept in the database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn artifact_content(&self, sha256: &str) -> Result<Option<Vec<u8>>> {
        Ok(self
            .conn
            .query_row(
                "SELECT content FROM artifact WHERE sha256 = ?",
                [sha256],
                |row| row.get(0),
            )
            .optional()?
            .flatten())
    }
}
