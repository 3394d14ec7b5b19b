//! `audit`: what changed outside the normal flow, and who did it.

use crate::{Result, Store, now_s};
use rusqlite::params;

impl Store {
    /// Adds an entry; `facts` is whatever a person would want to know later.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn audit(&mut self, actor: &str, action: &str, facts: &serde_json::Value) -> Result<()> {
        self.conn.execute(
            "INSERT INTO audit (time_s, actor, action, facts_json) VALUES (?, ?, ?, ?)",
            params![now_s(), actor, action, facts.to_string()],
        )?;
        Ok(())
    }
}
