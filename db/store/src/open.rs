//! Opening the file: pragmas, migrations with checksums, a copy before an upgrade.
//!
//! `migration` holds the hash of each script that was applied. On opening, the known scripts must agree with those
//! rows as far as both go; more rows than scripts means a newer program wrote the file, and it is refused untouched. Missing ones are
//! applied one by one, each in its own transaction, after the file was copied to `<name>.before-<version>`.

use crate::{Result, StoreError, now_s, plain_sha256};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "first_schema",
        sql: include_str!("../../migrations/0001_first_schema.sql"),
    },
    Migration {
        version: 2,
        name: "jobs_by_benchmark_and_subject",
        sql: include_str!("../../migrations/0002_jobs_by_benchmark_and_subject.sql"),
    },
];

/// Newest schema this program knows.
pub const SCHEMA_VERSION: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// An open database.
#[derive(Debug)]
pub struct Store {
    pub(crate) conn: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens or creates the database at `path` for writing and brings it to [`SCHEMA_VERSION`].
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::ChangedMigration`], [`StoreError::Backup`], or what SQLite says.
    pub fn open(path: &Path) -> Result<Store> {
        let conn = Connection::open(path).map_err(|cause| StoreError::Open {
            path: path.into(),
            cause,
        })?;
        Store::prepare(conn, path, MIGRATIONS)
    }

    /// A database in memory, for tests.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn in_memory() -> Result<Store> {
        Store::prepare(
            Connection::open_in_memory()?,
            Path::new(":memory:"),
            MIGRATIONS,
        )
    }

    /// Opens an existing database for reading only; the schema must be this program's.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Older`], or what SQLite says.
    pub fn open_read_only(path: &Path) -> Result<Store> {
        let open = |cause| StoreError::Open {
            path: path.into(),
            cause,
        };
        let conn =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(open)?;
        conn.busy_timeout(Duration::from_secs(10)).map_err(open)?;
        let applied = check_applied(&conn, path, MIGRATIONS).map_err(|e| e.at(path))?;
        if applied < SCHEMA_VERSION {
            return Err(StoreError::Older {
                path: path.into(),
                found: applied,
                known: SCHEMA_VERSION,
            });
        }
        Ok(Store {
            conn,
            path: path.into(),
        })
    }

    /// Where the file lies; `:memory:` for one in memory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` as one transaction: all of it or nothing. Within another one it is a part of that.
    ///
    /// # Errors
    /// Those of `work`, or what SQLite says on begin and commit.
    pub fn atomically<T>(&mut self, work: impl FnOnce(&mut Store) -> Result<T>) -> Result<T> {
        if !self.conn.is_autocommit() {
            return work(self);
        }
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let result = work(self);
        match &result {
            Ok(_) => self.conn.execute_batch("COMMIT")?,
            // The error of `work` tells more than one of the rollback would.
            Err(_) => drop(self.conn.execute_batch("ROLLBACK")),
        }
        result
    }

    fn prepare(mut conn: Connection, path: &Path, migrations: &[Migration]) -> Result<Store> {
        let pragmas = |conn: &Connection| -> rusqlite::Result<()> {
            conn.busy_timeout(Duration::from_secs(30))?;
            conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            conn.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;")
        };
        let applied = check_applied(&conn, path, migrations).map_err(|e| e.at(path))?;
        pragmas(&conn).map_err(|cause| StoreError::Open {
            path: path.into(),
            cause,
        })?;
        if applied > 0 && (applied as usize) < migrations.len() && path != Path::new(":memory:") {
            let copy = PathBuf::from(format!("{}.before-{}", path.display(), applied + 1));
            conn.backup("main", &copy, None)
                .map_err(|cause| StoreError::Backup { path: copy, cause })?;
        }
        for migration in &migrations[applied as usize..] {
            let tx = conn.transaction()?;
            tx.execute_batch(
                "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, \
                 sha256 TEXT NOT NULL, applied_s INTEGER NOT NULL) STRICT;",
            )?;
            tx.execute_batch(migration.sql)?;
            tx.execute(
                "INSERT INTO migration (version, name, sha256, applied_s) VALUES (?, ?, ?, ?)",
                params![
                    migration.version,
                    migration.name,
                    plain_sha256(migration.sql.as_bytes()),
                    now_s()
                ],
            )?;
            tx.execute(
                "INSERT OR IGNORE INTO meta (key, value) VALUES ('created_s', ?), ('created_by', ?)",
                params![now_s().to_string(), concat!("nightjar ", env!("CARGO_PKG_VERSION"))],
            )?;
            tx.commit()?;
        }
        Ok(Store {
            conn,
            path: path.into(),
        })
    }
}

/// Version the file is at, after comparing what was applied with `migrations`; 0 for an empty file.
fn check_applied(conn: &Connection, path: &Path, migrations: &[Migration]) -> Result<u32> {
    let table: Option<i64> = conn
        .query_row(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if table.is_none() {
        return Ok(0);
    }
    let mut rows = conn.prepare("SELECT version, sha256 FROM migration ORDER BY version")?;
    let applied: Vec<(u32, String)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let known = migrations.last().map_or(0, |m| m.version);
    if let Some((found, _)) = applied.last().filter(|(version, _)| *version > known) {
        return Err(StoreError::Newer {
            path: path.into(),
            found: *found,
            known,
        });
    }
    for (migration, (version, sha256)) in migrations.iter().zip(&applied) {
        if migration.version != *version || plain_sha256(migration.sql.as_bytes()) != *sha256 {
            return Err(StoreError::ChangedMigration {
                path: path.into(),
                version: migration.version,
                name: migration.name.into(),
            });
        }
    }
    Ok(applied.len() as u32)
}

impl StoreError {
    fn at(self, path: &Path) -> StoreError {
        match self {
            StoreError::Sql(cause) => StoreError::Open {
                path: path.into(),
                cause,
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn opening_twice_applies_nothing_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n.db");
        drop(Store::open(&path).unwrap());
        let store = Store::open(&path).unwrap();
        let count: i64 = store
            .conn
            .query_row("SELECT count(*) FROM migration", [], |r| r.get(0))
            .unwrap();
        assert_eq!(count, i64::from(SCHEMA_VERSION));
        let mode: String = store
            .conn
            .query_row("PRAGMA journal_mode", [], |r| r.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
        Store::open_read_only(&path).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n.db");
        let store = Store::open(&path).unwrap();
        store
            .conn
            .execute("INSERT INTO migration VALUES (99, 'later', 'x', 0)", [])
            .unwrap();
        drop(store);
        let error = Store::open(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::Newer { found: 99, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("use a newer nightjar"));
    }

    #[test]
    fn an_altered_migration_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n.db");
        drop(Store::open(&path).unwrap());
        let altered: Vec<Migration> = MIGRATIONS
            .iter()
            .map(|m| Migration {
                version: m.version,
                name: m.name,
                sql: if m.version == 1 {
                    "CREATE TABLE meta (key, value)"
                } else {
                    m.sql
                },
            })
            .collect();
        let error = Store::prepare(Connection::open(&path).unwrap(), &path, &altered).unwrap_err();
        assert!(
            matches!(error, StoreError::ChangedMigration { version: 1, .. }),
            "{error}"
        );
    }

    #[test]
    fn an_upgrade_copies_the_file_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n.db");
        drop(Store::open(&path).unwrap());
        let next = SCHEMA_VERSION + 1;
        let migrations: Vec<Migration> = MIGRATIONS
            .iter()
            .map(|m| (m.version, m.name, m.sql))
            .chain([(next, "more", "CREATE TABLE more (x)")])
            .map(|(version, name, sql)| Migration { version, name, sql })
            .collect();
        let store = Store::prepare(Connection::open(&path).unwrap(), &path, &migrations).unwrap();
        store
            .conn
            .execute("INSERT INTO more VALUES (1)", [])
            .unwrap();
        let copy = Store::open(&dir.path().join(format!("n.db.before-{next}"))).unwrap();
        assert!(
            copy.conn
                .execute("INSERT INTO more VALUES (1)", [])
                .is_err()
        );
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n.db");
        std::fs::write(
            &path,
            b"this is certainly not an SQLite file, whatever its name says",
        )
        .unwrap();
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(error.contains("n.db"), "{error}");
    }

    #[test]
    fn a_failed_transaction_leaves_nothing() {
        let mut store = Store::in_memory().unwrap();
        let result: Result<()> = store.atomically(|store| {
            store
                .conn
                .execute("INSERT INTO meta VALUES ('x', 'y')", [])?;
            Err(StoreError::Missing {
                what: "thing",
                name: "x".into(),
            })
        });
        assert!(result.is_err());
        let rows: i64 = store
            .conn
            .query_row("SELECT count(*) FROM meta WHERE key = 'x'", [], |r| {
                r.get(0)
            })
            .unwrap();
        assert_eq!(rows, 0);
    }
}
