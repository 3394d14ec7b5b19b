//! Typed row ids: a build id cannot be passed where a job id is meant.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    )*};
}

ids! {
    /// Row of `subject`.
    SubjectId,
    /// Row of `"commit"`.
    CommitId,
    /// Row of `mode`.
    ModeId,
    /// Row of `machine`.
    MachineId,
    /// Row of `env_snapshot`.
    EnvId,
    /// Row of `build`.
    BuildId,
    /// Row of `benchmark_version`.
    BenchmarkVersionId,
    /// Row of `run`.
    RunId,
    /// Row of `job`.
    JobId,
    /// Row of `process`.
    ProcessId,
    /// Row of `test_case`.
    TestCaseId,
    /// Row of `series`.
    SeriesId,
}
