//! Results posted to `nightjar serve`, by hand and by the real `pyperformance upload`.
//!
//! `ci/test` installs pyperformance and names its folder in `NIGHTJAR_TOOLS`; where it is not, that is said and its part left out.

#[path = "../../formats/tests/tool/mod.rs"]
mod tool;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const TOKEN: &str = "0123456789abcdef0123";

/// A running server over an empty database.
struct Server {
    child: Child,
    address: String,
    dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(options: &[&str]) -> Server {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::write(dir.path().join("token"), format!("{TOKEN}\n")).unwrap();
        // The first import makes the database.
        let first = r#"{"results":[{"command":"true","times":[0.1,0.2],"exit_codes":[0,0]}]}"#;
        fs::write(dir.path().join("first.json"), first).unwrap();
        let made = nightjar(dir.path(), &["import", "hyperfine", "first.json"])
            .output()
            .unwrap();
        assert!(made.status.success() && data.is_dir(), "{made:?}");
        let mut child = nightjar(dir.path(), &["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let address = said
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_else(|| panic!("no address in {said}"))
            .to_owned();
        Server {
            child,
            address,
            dir,
        }
    }

    /// Status code and text of the answer to a POST.
    fn post(&self, path: &str, body: &str) -> (u32, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        // A refusal may come before everything is sent.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let text = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        (status.unwrap_or(0), text.to_owned())
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let conn = rusqlite::Connection::open(self.dir.path().join("data/nightjar.db")).unwrap();
        let mut query = conn.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn nightjar(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightjar"));
    command
        .args(args)
        .arg("--data")
        .arg(folder.join("data"))
        .current_dir(folder);
    command
}

const RESULT: &str = "commitid=c0ffee&branch=main&project=VM&executable=vm&benchmark=calls&environment=box&result_value=0.25";

#[test]
fn a_posted_result_is_taken_in_once_and_only_with_the_token() {
    let server = Server::start(&["--uploads", "token"]);
    let path = format!("/upload/{TOKEN}/result/add/");
    let (status, text) = server.post(&path, RESULT);
    assert_eq!((status, text.as_str()), (202, "1 results were taken in\n"));
    let (status, text) = server.post(&path, RESULT);
    assert!(status == 202 && text.contains("taken in before"), "{text}");
    let named = "SELECT subject.name || ' ' || benchmark.name || ' ' || round(point.geomean) FROM point JOIN series ON series.id = series_id \
                 JOIN subject ON subject.id = series.subject_id JOIN benchmark_version AS v ON v.id = benchmark_version_id \
                 JOIN benchmark ON benchmark.id = v.benchmark_id JOIN metric ON metric.id = metric_id \
                 WHERE metric.name = 'wall' AND benchmark.name = 'calls'";
    assert_eq!(server.rows(named), ["vm@c0ffee (box) calls 250000000.0"]);

    let (status, text) = server.post(&path, &RESULT.replace("branch=main&", ""));
    assert!(
        status == 400 && text.contains("the field branch is missing"),
        "{status} {text}"
    );
    for other in [
        "/upload/guess/result/add/",
        "/result/add/json/",
        "/upload//result/add/",
        "/",
    ] {
        assert_eq!(server.post(other, RESULT).0, 403, "{other}");
    }
    let (status, _) = server.post(&path, &"x".repeat((4 << 20) + 1));
    assert!(
        status == 413 || status == 0,
        "a body that is too long: {status}"
    );
}

#[test]
fn without_a_token_nothing_is_taken_in() {
    let server = Server::start(&[]);
    assert_eq!(server.post("/result/add/json/", RESULT).0, 405);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "short\n").unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    fs::copy(
        server.dir.path().join("data/nightjar.db"),
        dir.path().join("data/nightjar.db"),
    )
    .unwrap();
    let refused = nightjar(dir.path(), &["serve", "--uploads", "token"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("at least 16"),
        "{said}"
    );
}

#[test]
fn a_data_folder_and_a_bundle_of_an_older_nightjar_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let old =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../db/store/tests/fixtures/version-1.sql");
    let text = fs::read_to_string(old).unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    for name in ["data/nightjar.db", "bundle.db"] {
        let conn = rusqlite::Connection::open(dir.path().join(name)).unwrap();
        conn.execute_batch(&text).unwrap();
    }
    let status = nightjar(dir.path(), &["status"]).output().unwrap();
    let said = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(
        status.status.success() && said.contains("a copy lies beside it"),
        "{said}"
    );
    assert!(dir.path().join("data/nightjar.db.before-2").is_file());
    assert!(
        nightjar(dir.path(), &["render"])
            .output()
            .unwrap()
            .status
            .success()
    );

    let before = fs::read(dir.path().join("bundle.db")).unwrap();
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    for new in ["1 new runs, 0 known", "0 new runs, 1 known"] {
        let taken = nightjar(dir.path(), &["ingest", "bundle.db"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&taken.stdout).into_owned();
        assert!(said.starts_with(new), "{said} {taken:?}");
    }
    assert_eq!(
        fs::read(dir.path().join("bundle.db")).unwrap(),
        before,
        "the bundle stays as it is"
    );
}

#[test]
fn pyperformance_uploads_to_us() {
    let Some(pyperformance) = tool::find("pyperformance", "that it can post to us") else {
        return;
    };
    let server = Server::start(&["--uploads", "token"]);
    let folder = server.dir.path();
    let suite = serde_json::json!({
        "version": "1.0",
        "metadata": {
            "commit_id": "0123456789abcdef0123456789abcdef01234567",
            "commit_branch": "main",
            "commit_date": "2026-03-01T10:00:00+00:00",
            "unit": "second",
        },
        "benchmarks": [
            { "metadata": { "name": "calls" }, "runs": [{ "values": [0.5, 0.52] }, { "values": [0.51, 0.5] }] },
            { "metadata": { "name": "loops" }, "runs": [{ "values": [0.25, 0.26] }] },
        ],
    });
    fs::write(folder.join("suite.json"), suite.to_string()).unwrap();
    let config = format!(
        "[config]\njson_dir = {0}/json\n[scm]\nrepo_dir = {0}\nupdate = False\n[compile]\nbench_dir = {0}/bench\n[run_benchmark]\n\
         [upload]\nurl = http://{1}/upload/{TOKEN}/\nenvironment = box\nexecutable = vm-jit\nproject = VM\n",
        folder.display(),
        server.address
    );
    fs::write(folder.join("upload.conf"), config).unwrap();
    let output = Command::new(pyperformance)
        .args(["upload", "upload.conf", "suite.json"])
        .current_dir(folder)
        .env("HOME", folder)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    assert!(said.contains("2 results were taken in"), "{said}");
    let names = "SELECT DISTINCT subject.name FROM subject JOIN series ON series.subject_id = subject.id WHERE subject.name LIKE 'vm-jit%'";
    assert_eq!(server.rows(names), ["vm-jit@0123456789ab (box)"]);
    assert!(
        folder.join("json/uploaded/suite.json").is_file(),
        "the client counts it as uploaded: {said}"
    );
}
