//! Writes of `machine` and `env_snapshot`.

use crate::{EnvId, MachineId, Result, Store, content_hash};
use rusqlite::{OptionalExtension, params};

/// A computer, as far as results depend on it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Hash of what makes results comparable; see `db/schema.md`.
    pub fingerprint: String,
    pub name: String,
    pub cpu_model: String,
    pub cores: u32,
    pub memory_bytes: u64,
    pub kernel: String,
}

impl Store {
    /// Finds or adds a machine; its display name follows the host's.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn machine(&mut self, machine: &Machine) -> Result<MachineId> {
        Ok(self.conn.query_row(
            "INSERT INTO machine (fingerprint, name, cpu_model, cores, memory_bytes, kernel) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name RETURNING id",
            params![
                machine.fingerprint,
                machine.name,
                machine.cpu_model,
                machine.cores,
                machine.memory_bytes as i64,
                machine.kernel
            ],
            |row| row.get(0),
        )?)
    }

    /// The machine with this fingerprint, if results of it are here.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn known_machine(&self, fingerprint: &str) -> Result<Option<MachineId>> {
        Ok(self
            .conn
            .query_row(
                "SELECT id FROM machine WHERE fingerprint = ?",
                [fingerprint],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// Finds or adds an environment record; `grade` is one of ok, warn, fail, unknown.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn env_snapshot(
        &mut self,
        machine: MachineId,
        grade: &str,
        facts_json: &str,
    ) -> Result<EnvId> {
        let sha256 = content_hash([machine.0.to_le_bytes().as_slice(), facts_json.as_bytes()]);
        Ok(self.conn.query_row(
            "INSERT INTO env_snapshot (machine_id, sha256, grade, facts_json) VALUES (?, ?, ?, ?) \
             ON CONFLICT (sha256) DO UPDATE SET grade = excluded.grade RETURNING id",
            params![machine, sha256, grade, facts_json],
            |row| row.get(0),
        )?)
    }
}
