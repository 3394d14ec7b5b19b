//! Databases as older programs left them open, keep every row, and pass the checks.
//!
//! `fixtures/version-N.sql` is such a database as text, made when version N was the newest: a small history with a row in every
//! table. A migration that lands adds the one of the version before it.

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use store::{SCHEMA_VERSION, Store, StoreError};

const FIXTURES: &[(u32, &str)] = &[(1, include_str!("fixtures/version-1.sql"))];

fn fixture(path: &Path, text: &str) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(text).unwrap();
}

/// Rows by table, but for the table of migrations.
fn counts(path: &Path) -> BTreeMap<String, i64> {
    let conn = Connection::open(path).unwrap();
    let mut query = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'migration' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let tables = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    tables
        .map(|table| {
            let table = table.unwrap();
            let sql = format!("SELECT count(*) FROM \"{table}\"");
            let count = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
            (table, count)
        })
        .collect()
}

/// Definitions of tables and indices, by name.
fn schema(path: &Path) -> BTreeMap<String, String> {
    let conn = Connection::open(path).unwrap();
    let mut query = conn
        .prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        .unwrap();
    let rows = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn there_is_a_fixture_of_every_older_version() {
    let versions: Vec<u32> = FIXTURES.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (1..SCHEMA_VERSION).collect::<Vec<_>>());
}

#[test]
fn an_older_database_is_upgraded_with_all_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh.db");
    drop(Store::open(&fresh).unwrap());
    for (version, text) in FIXTURES {
        let path = dir.path().join(format!("{version}.db"));
        fixture(&path, text);
        let before = counts(&path);
        assert!(
            before.values().all(|count| *count > 0),
            "a table of the fixture is empty: {before:?}"
        );
        let read_only = Store::open_read_only(&path).unwrap_err();
        assert!(
            matches!(read_only, StoreError::Older { found, .. } if found == *version),
            "{read_only}"
        );
        let store = Store::open(&path).unwrap();
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        drop(store);
        let after = counts(&path);
        for (table, count) in &before {
            assert_eq!(after.get(table), Some(count), "rows of {table}");
        }
        assert_eq!(schema(&path), schema(&fresh), "version {version} upgraded");
        let copy = dir
            .path()
            .join(format!("{version}.db.before-{}", version + 1));
        assert_eq!(counts(&copy), before, "the copy made before the upgrade");
    }
}
