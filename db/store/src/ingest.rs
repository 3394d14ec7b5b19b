//! Taking in the results of another database: a bundle a worker made with `nightjar db backup`.
//!
//! Rows are matched by what they are about, never by number: a machine by its fingerprint, a commit by its id, a run by its key, a process by the hash of
//! its content. So a bundle taken in twice changes nothing, two workers' bundles can be taken in in either order, and other content
//! under a known key becomes a visible revision. Only finished runs and finished processes are taken.

use crate::{Result, RunId, Store, StoreError};
use rusqlite::params;
use serde::Serialize;
use std::path::Path;

/// What was new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ingested {
    /// Keys of runs that were not there.
    pub new_runs: Vec<String>,
    /// Runs that were there already.
    pub known_runs: usize,
    pub new_processes: usize,
    /// Processes that differ from one known under the same key; both are kept.
    pub revisions: usize,
    pub new_test_results: usize,
}

/// Copies what is described by its own columns. Each is harmless to repeat.
const DESCRIPTIONS: &[&str] = &[
    "INSERT OR IGNORE INTO machine (fingerprint, name, cpu_model, cores, memory_bytes, kernel) \
     SELECT fingerprint, name, cpu_model, cores, memory_bytes, kernel FROM other.machine",
    // The hash of a snapshot covers a row number of its own database, so the machine is put behind it.
    "INSERT OR IGNORE INTO env_snapshot (machine_id, sha256, grade, facts_json) \
     SELECT m.id, e.sha256 || ':' || m.fingerprint, e.grade, e.facts_json FROM other.env_snapshot AS e \
     JOIN other.machine AS om ON om.id = e.machine_id JOIN machine AS m ON m.fingerprint = om.fingerprint",
    "INSERT OR IGNORE INTO subject (name, kind, role, location) SELECT name, kind, role, location FROM other.subject",
    "INSERT OR IGNORE INTO \"commit\" (subject_id, sha, first_parent_sha, seq, author, author_time_s, commit_time_s, title, state_sha256) \
     SELECT s.id, c.sha, c.first_parent_sha, c.seq, c.author, c.author_time_s, c.commit_time_s, c.title, c.state_sha256 \
     FROM other.\"commit\" AS c JOIN other.subject AS os ON os.id = c.subject_id JOIN subject AS s ON s.name = os.name",
    "INSERT OR IGNORE INTO mode (subject_id, name, args_json, env_json, conf, purpose, definition_sha256) \
     SELECT s.id, m.name, m.args_json, m.env_json, m.conf, m.purpose, m.definition_sha256 FROM other.mode AS m \
     JOIN other.subject AS os ON os.id = m.subject_id JOIN subject AS s ON s.name = os.name ORDER BY m.id",
    "INSERT OR IGNORE INTO benchmark (suite, name, category) SELECT suite, name, category FROM other.benchmark",
    "INSERT OR IGNORE INTO benchmark_version (benchmark_id, source_sha256, inner, expected_result, limit_ns, params_json, first_seen_s) \
     SELECT b.id, v.source_sha256, v.inner, v.expected_result, v.limit_ns, v.params_json, v.first_seen_s \
     FROM other.benchmark_version AS v JOIN other.benchmark AS ob ON ob.id = v.benchmark_id \
     JOIN benchmark AS b ON b.suite = ob.suite AND b.name = ob.name ORDER BY v.id",
    "INSERT OR IGNORE INTO artifact (sha256, kind, size_bytes, content, path, created_s) \
     SELECT sha256, kind, size_bytes, content, path, created_s FROM other.artifact WHERE content IS NOT NULL",
    "INSERT OR IGNORE INTO test_case (module, name) SELECT module, name FROM other.test_case",
    "INSERT OR IGNORE INTO build (subject_id, commit_id, machine_id, key_sha256, revision, command, toolchain, outcome, reason, program, \
     version, build_flags, binary_sha256, binary_bytes, text_bytes, text_sha256, duration_ns, log_sha256, finished_s) \
     SELECT s.id, c.id, m.id, b.key_sha256, b.revision, b.command, b.toolchain, b.outcome, b.reason, b.program, b.version, \
     b.build_flags, b.binary_sha256, b.binary_bytes, b.text_bytes, b.text_sha256, b.duration_ns, \
     (SELECT sha256 FROM artifact WHERE sha256 = b.log_sha256), b.finished_s FROM other.build AS b \
     JOIN other.subject AS os ON os.id = b.subject_id JOIN subject AS s ON s.name = os.name \
     JOIN other.machine AS om ON om.id = b.machine_id JOIN machine AS m ON m.fingerprint = om.fingerprint \
     LEFT JOIN other.\"commit\" AS oc ON oc.id = b.commit_id LEFT JOIN \"commit\" AS c ON c.subject_id = s.id AND c.sha = oc.sha \
     ORDER BY b.id",
];

/// Jobs of the run `?1` (its key).
const JOBS: &str = "INSERT OR IGNORE INTO job (run_id, key, kind, ordinal, subject_id, commit_id, build_id, mode_id, benchmark_version_id, \
     test_module, planned_processes, planned_iterations, state, outcome, reason, attempts, duration_ns) \
     SELECT r.id, j.key, j.kind, j.ordinal, s.id, c.id, b.id, m.id, v.id, j.test_module, j.planned_processes, j.planned_iterations, \
     j.state, j.outcome, j.reason, j.attempts, j.duration_ns FROM other.job AS j \
     JOIN other.run AS o ON o.id = j.run_id JOIN run AS r ON r.key = o.key \
     JOIN other.subject AS os ON os.id = j.subject_id JOIN subject AS s ON s.name = os.name \
     LEFT JOIN other.\"commit\" AS oc ON oc.id = j.commit_id LEFT JOIN \"commit\" AS c ON c.subject_id = s.id AND c.sha = oc.sha \
     LEFT JOIN other.build AS ob ON ob.id = j.build_id LEFT JOIN build AS b ON b.key_sha256 = ob.key_sha256 AND b.revision = ob.revision \
     LEFT JOIN other.mode AS om ON om.id = j.mode_id \
     LEFT JOIN mode AS m ON m.subject_id = s.id AND m.name = om.name AND m.definition_sha256 = om.definition_sha256 \
     LEFT JOIN other.benchmark_version AS ov ON ov.id = j.benchmark_version_id LEFT JOIN other.benchmark AS obn ON obn.id = ov.benchmark_id \
     LEFT JOIN benchmark AS bn ON bn.suite = obn.suite AND bn.name = obn.name \
     LEFT JOIN benchmark_version AS v ON v.benchmark_id = bn.id AND v.source_sha256 = ov.source_sha256 AND v.inner = ov.inner \
       AND v.params_json = ov.params_json \
     WHERE o.key = ?1 ORDER BY j.ordinal";

/// Processes of the run `?1` whose content is not known in their job, each as the next revision of its number.
const PROCESSES: &str = "INSERT INTO process (job_id, idx, revision, position, state, outcome, reason, exit_code, signal, started_s, wall_ns, \
     user_ns, system_ns, peak_rss_bytes, minor_faults, major_faults, voluntary_switches, involuntary_switches, cpu, hash_seed, result, \
     output_sha256, warmup_class, steady_from, content_sha256) \
     SELECT j.id, p.idx, coalesce((SELECT max(revision) + 1 FROM process WHERE job_id = j.id AND idx = p.idx), 0), p.position, p.state, \
     p.outcome, p.reason, p.exit_code, p.signal, p.started_s, p.wall_ns, p.user_ns, p.system_ns, p.peak_rss_bytes, p.minor_faults, \
     p.major_faults, p.voluntary_switches, p.involuntary_switches, p.cpu, p.hash_seed, p.result, \
     (SELECT sha256 FROM artifact WHERE sha256 = p.output_sha256), p.warmup_class, p.steady_from, p.content_sha256 \
     FROM other.process AS p JOIN other.job AS oj ON oj.id = p.job_id JOIN other.run AS o ON o.id = oj.run_id \
     JOIN run AS r ON r.key = o.key JOIN job AS j ON j.run_id = r.id AND j.key = oj.key \
     WHERE o.key = ?1 AND p.state = 'done' \
     AND p.revision = (SELECT max(revision) FROM other.process WHERE job_id = p.job_id AND idx = p.idx) \
     AND NOT EXISTS (SELECT 1 FROM process WHERE job_id = j.id AND content_sha256 = p.content_sha256)";

/// From the processes of run `?1` there to the same ones here.
const SAME_PROCESS: &str = "FROM other.process AS p JOIN other.job AS oj ON oj.id = p.job_id JOIN other.run AS o ON o.id = oj.run_id \
     JOIN run AS r ON r.key = o.key JOIN job AS j ON j.run_id = r.id AND j.key = oj.key \
     JOIN process AS q ON q.job_id = j.id AND q.content_sha256 = p.content_sha256";

const TESTS: &str = "INSERT OR IGNORE INTO test_result (job_id, test_case_id, attempt, outcome, duration_ns, message_sha256) \
     SELECT j.id, c.id, t.attempt, t.outcome, t.duration_ns, (SELECT sha256 FROM artifact WHERE sha256 = t.message_sha256) \
     FROM other.test_result AS t JOIN other.job AS oj ON oj.id = t.job_id JOIN other.run AS o ON o.id = oj.run_id \
     JOIN run AS r ON r.key = o.key JOIN job AS j ON j.run_id = r.id AND j.key = oj.key \
     JOIN other.test_case AS oc ON oc.id = t.test_case_id JOIN test_case AS c ON c.module = oc.module AND c.name = oc.name \
     WHERE o.key = ?1";

impl Store {
    /// Takes in the finished runs of the database at `path`, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Newer`] and [`StoreError::Older`] for another schema version, or what SQLite says.
    pub fn ingest(&mut self, path: &Path) -> Result<Ingested> {
        // Opening it checks that it is one of ours, undamaged and of this version.
        drop(Store::open_read_only(path)?);
        let name = path.to_str().ok_or_else(|| StoreError::Missing {
            what: "file with a name in UTF-8",
            name: path.display().to_string(),
        })?;
        self.conn.execute("ATTACH DATABASE ? AS other", [name])?;
        let result = self.atomically(take_in);
        self.conn.execute_batch("DETACH DATABASE other")?;
        result
    }
}

fn take_in(store: &mut Store) -> Result<Ingested> {
    for sql in DESCRIPTIONS {
        store.conn.execute(sql, [])?;
    }
    let keys: Vec<String> = {
        let mut query = store
            .conn
            .prepare("SELECT key FROM other.run WHERE state IN ('complete', 'deadline') ORDER BY started_s, id")?;
        query
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?
    };
    let mut ingested = Ingested::default();
    for key in keys {
        let new = store.conn.execute(
            "INSERT OR IGNORE INTO run (key, reason, tier, machine_id, env_snapshot_id, head_commit_id, platform_version, plan_sha256, \
             plan_json, state, started_s, finished_s, exit_code, summary_json) \
             SELECT o.key, o.reason, o.tier, m.id, e.id, c.id, o.platform_version, o.plan_sha256, o.plan_json, o.state, o.started_s, \
             o.finished_s, o.exit_code, o.summary_json FROM other.run AS o JOIN other.machine AS om ON om.id = o.machine_id \
             JOIN machine AS m ON m.fingerprint = om.fingerprint JOIN other.env_snapshot AS oe ON oe.id = o.env_snapshot_id \
             JOIN env_snapshot AS e ON e.sha256 IN (oe.sha256, oe.sha256 || ':' || m.fingerprint) AND e.machine_id = m.id \
             LEFT JOIN other.\"commit\" AS oc ON oc.id = o.head_commit_id LEFT JOIN other.subject AS os ON os.id = oc.subject_id \
             LEFT JOIN subject AS s ON s.name = os.name LEFT JOIN \"commit\" AS c ON c.sha = oc.sha AND c.subject_id = s.id \
             WHERE o.key = ?1 LIMIT 1",
            [&key],
        )?;
        store.conn.execute(JOBS, [&key])?;
        let processes = store.conn.execute(PROCESSES, [&key])?;
        let revisions: i64 = store.conn.query_row(
            &format!("SELECT count(*) {SAME_PROCESS} WHERE o.key = ?1 AND q.revision > 0 AND q.id > (SELECT max(id) FROM process) - ?2"),
            params![key, processes as i64],
            |row| row.get(0),
        )?;
        for (table, columns) in [
            ("sample", "metric_id, n, data"),
            ("counter", "name, value"),
            (
                "trace",
                "trace_no, kind, location, code_sha256, ops_in, ops_out, guards, guard_fails, code_bytes",
            ),
        ] {
            let theirs = columns
                .split(", ")
                .map(|column| format!("x.{column}"))
                .collect::<Vec<_>>()
                .join(", ");
            // Metrics are the schema's own rows: their numbers agree.
            store.conn.execute(
                &format!(
                    "INSERT OR IGNORE INTO {table} (process_id, {columns}) SELECT q.id, {theirs} {SAME_PROCESS} \
                     JOIN other.{table} AS x ON x.process_id = p.id WHERE o.key = ?1"
                ),
                [&key],
            )?;
        }
        ingested.new_test_results += store.conn.execute(TESTS, [&key])?;
        ingested.new_processes += processes;
        ingested.revisions += revisions as usize;
        let id: RunId =
            store
                .conn
                .query_row("SELECT id FROM run WHERE key = ?", [&key], |row| row.get(0))?;
        if new > 0 || processes > 0 {
            store.rebuild_points(id)?;
        }
        if revisions > 0 {
            store.audit(
                "ingest",
                "process-revision",
                &serde_json::json!({ "run": key, "processes": revisions }),
            )?;
        }
        if new > 0 {
            ingested.new_runs.push(key);
        } else {
            ingested.known_runs += 1;
        }
    }
    if !ingested.new_runs.is_empty() {
        store.audit("ingest", "runs", &serde_json::json!(ingested))?;
    }
    Ok(ingested)
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::processes::{ProcessEnd, ProcessStart};
    use crate::runs::{NewJob, NewRun};
    use std::collections::BTreeMap;

    /// A database with one finished run of one job with `walls` as its processes.
    fn bundle(path: &Path, walls: &[Vec<f64>]) {
        let mut store = Store::open(path).unwrap();
        let machine = store
            .machine(&crate::machines::Machine {
                fingerprint: "f".into(),
                name: "box".into(),
                cpu_model: "c".into(),
                cores: 2,
                memory_bytes: 1,
                kernel: "k".into(),
            })
            .unwrap();
        let env = store.env_snapshot(machine, "ok", "[]").unwrap();
        let subject = store
            .subject(&crate::subjects::Subject {
                name: "vm".into(),
                is_repository: false,
                is_baseline: true,
                location: "/vm".into(),
            })
            .unwrap();
        let mode = store
            .mode(
                subject,
                &crate::subjects::Mode {
                    name: "default".into(),
                    args: Vec::new(),
                    env: BTreeMap::new(),
                    conf: String::new(),
                    purpose: "timing".into(),
                },
            )
            .unwrap();
        let benchmark = store
            .benchmark_version(&crate::benchmarks::Benchmark {
                suite: "micro".into(),
                name: "loop".into(),
                category: "micro".into(),
                source_sha256: "s".into(),
                inner: 1,
                expected_result: "1".into(),
                limit_ns: 1,
            })
            .unwrap();
        let build = crate::builds::Build {
            outcome: "ok".into(),
            binary_sha256: Some("b".into()),
            log: b"log".to_vec(),
            ..crate::builds::Build::default()
        };
        let build = store.build(subject, None, machine, &build).unwrap();
        let run = NewRun {
            key: "night".into(),
            reason: "nightly".into(),
            tier: "quick".into(),
            machine,
            env,
            head: None,
            platform_version: "test".into(),
            plan_json: "{}".into(),
            started_s: 1,
        };
        let job = NewJob {
            key: "bench/vm/default/micro/loop".into(),
            kind: "bench",
            subject,
            commit: None,
            build: Some(build),
            mode: Some(mode),
            benchmark: Some(benchmark),
            test_module: None,
            planned_processes: 2,
            planned_iterations: 3,
        };
        let run = store.begin_run(&run, &[job]).unwrap();
        let job = store.jobs(run).unwrap()[0].id;
        for (idx, walls) in walls.iter().enumerate() {
            let start = ProcessStart {
                idx: idx as u32,
                ..ProcessStart::default()
            };
            let samples = BTreeMap::from([("wall".to_owned(), walls.clone())]);
            let end = ProcessEnd {
                outcome: "ok".into(),
                steady_from: Some(0),
                wall_ns: 9,
                counters: BTreeMap::from([("traces".into(), 7.0)]),
                ..ProcessEnd::default()
            };
            store.take_in_process(job, &start, &samples, &end).unwrap();
        }
        store.job_finished(job, "ok", "", 1).unwrap();
        store.run_finished(run, "complete", 0, "{}").unwrap();
    }

    fn count(store: &Store, table: &str) -> i64 {
        store
            .conn
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap()
    }

    #[test]
    fn a_bundle_is_taken_in_once_and_other_content_becomes_a_revision() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("1.db"), dir.path().join("2.db"));
        bundle(&first, &[vec![1.0, 2.0], vec![3.0]]);
        bundle(&second, &[vec![1.0, 2.0], vec![4.0]]);
        let mut store = Store::open(&dir.path().join("main.db")).unwrap();
        let ingested = store.ingest(&first).unwrap();
        assert_eq!(ingested.new_runs, ["night"]);
        assert_eq!((ingested.new_processes, ingested.revisions), (2, 0));
        let tables = [
            "run", "job", "process", "sample", "counter", "point", "build", "artifact",
        ];
        let before = tables.map(|table| count(&store, table));
        assert_eq!(before[..5], [1, 1, 2, 2, 2]);
        assert!(before[5] > 0);
        let again = store.ingest(&first).unwrap();
        assert_eq!(
            (again.new_runs.len(), again.known_runs, again.new_processes),
            (0, 1, 0)
        );
        assert_eq!(tables.map(|table| count(&store, table)), before);
        let other = store.ingest(&second).unwrap();
        assert_eq!((other.new_processes, other.revisions), (1, 1));
        assert!(store.check().unwrap().is_empty(), "{:?}", store.check());
    }

    #[test]
    fn what_is_no_database_of_ours_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        std::fs::write(&path, "text").unwrap();
        let mut store = Store::in_memory().unwrap();
        assert!(store.ingest(&path).is_err());
        assert!(store.ingest(&dir.path().join("none.db")).is_err());
        assert_eq!(count(&store, "run"), 0);
    }
}
