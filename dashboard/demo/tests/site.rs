//! The whole site over the made-up history: every page is there, every link leads somewhere, nothing hostile
//! gets through, and what failed is nowhere a number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use dashboard_api::{Metric, Outcome, Reading, Source};
use dashboard_demo::{CRASH, Plan, SIX, SLOWER, fill};
use dashboard_pages::{OpenSource, Site, render, serve};
use store::Store;

const HOSTILE: &str = "<script>alert(1)</script>&\"'";

/// Some nights with few processes, and names that try to break out.
fn plan() -> Plan {
    let mut plan = Plan {
        nights: 24,
        processes: 3,
        iterations: 8,
        ..Plan::two_months()
    };
    plan.benchmarks = SIX.iter().map(|&name| name.to_owned()).collect();
    plan.benchmarks.extend([
        HOSTILE.to_owned(),
        "../../escape".to_owned(),
        "index".to_owned(),
        "nu\u{308}ll \u{0}".to_owned(),
    ]);
    plan.suffix = format!(" {HOSTILE}");
    plan
}

/// The history, made once; each caller reads through a connection of its own.
fn history() -> Store {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = Store::open(&folder.path().join("demo.db")).expect("a database");
        fill(&mut store, &plan()).expect("the history fits the schema");
        folder
    });
    Store::open_read_only(&folder.path().join("demo.db")).expect("the database")
}

struct Rendered {
    _folder: tempfile::TempDir,
    root: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

fn read_all(root: &Path, below: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .expect("below the root")
                .to_string_lossy()
                .into_owned();
            files.insert(name, std::fs::read(&path).expect("readable"));
        }
    }
}

fn rendered() -> &'static Rendered {
    static SITE: OnceLock<Rendered> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("site");
        render(&history(), &root).expect("renders");
        let mut files = BTreeMap::new();
        read_all(&root, &root, &mut files);
        Rendered {
            _folder: folder,
            root,
            files,
        }
    })
}

fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    rendered()
        .files
        .iter()
        .filter(|(name, _)| name.ends_with(".html"))
        .map(|(name, bytes)| {
            (
                name.as_str(),
                std::str::from_utf8(bytes).expect("pages are UTF-8"),
            )
        })
}

fn page(name: &str) -> &'static str {
    pages()
        .find(|(n, _)| *n == name)
        .map_or_else(|| panic!("no page {name}"), |(_, text)| text)
}

/// Values of `href` and `src` attributes, unescaped.
fn links(html: &str) -> Vec<String> {
    ["href=\"", "src=\""]
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .map(|link| {
            link.replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&lt;", "<")
                .replace("&amp;", "&")
        })
        .collect()
}

#[test]
fn every_kind_of_page_is_there() {
    let names: BTreeSet<&str> = pages().map(|(name, _)| name).collect();
    for name in [
        "index.html",
        "benchmarks/index.html",
        "benchmarks/alloc.html",
        "speedups/python3.11.html",
        "speedups/pypy3.html",
        "grid/off.html",
        "grid/opt.html",
        "warmup/index.html",
        "warmup/calls.html",
        "library/index.html",
        "builds/index.html",
        "commits/index.html",
        "compare/index.html",
        "searches/index.html",
        "searches/1.html",
        "status/index.html",
    ] {
        assert!(names.contains(name), "{name} is missing");
    }
    let commits = names.iter().filter(|n| n.starts_with("commits/")).count();
    assert_eq!(
        commits,
        plan().commits() as usize + 1,
        "one page per commit and the list"
    );
}

#[test]
fn every_link_leads_to_a_file() {
    let mut checked = 0;
    for (name, html) in pages() {
        let folder: Vec<&str> = name
            .split('/')
            .rev()
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        for link in links(html) {
            assert!(
                !link.contains("://") && !link.starts_with('/'),
                "{name} links outside: {link}"
            );
            if let Some(anchor) = link.strip_prefix('#') {
                assert!(
                    html.contains(&format!("id=\"{anchor}\"")),
                    "{name} has no {link}"
                );
                continue;
            }
            let mut path = folder.clone();
            for part in link.split('/') {
                if part == ".." {
                    assert!(path.pop().is_some(), "{name} climbs above the root: {link}");
                } else {
                    path.push(part);
                }
            }
            let target = path.join("/");
            assert!(
                rendered().files.contains_key(&target),
                "{name} links to {target}, which is not there"
            );
            checked += 1;
        }
    }
    assert!(checked > 5_000, "only {checked} links were found");
}

#[test]
fn hostile_names_stay_text() {
    for (name, html) in pages() {
        let scripts = html.matches("<script").count();
        assert_eq!(
            scripts, 1,
            "{name} has {scripts} script elements, its own is one"
        );
        assert!(!html.contains("alert(1)</script>"), "{name}");
        assert!(!html.contains('\u{0}'), "{name} holds a NUL");
    }
    assert!(
        page("benchmarks/index.html").contains("&lt;script&gt;alert(1)"),
        "the name is shown, escaped"
    );
    for name in rendered().files.keys() {
        assert!(!name.contains("..") && !name.contains('<'), "{name}");
    }
    assert!(
        !rendered()
            .root
            .parent()
            .expect("a parent")
            .join("escape.html")
            .exists()
    );
}

#[test]
fn pages_are_whole_documents_and_balanced() {
    const TAGS: [&str; 14] = [
        "html", "head", "body", "main", "section", "table", "tbody", "tr", "ul", "figure", "svg",
        "details", "nav", "g",
    ];
    for (name, html) in pages() {
        assert!(html.starts_with("<!DOCTYPE html>"), "{name}");
        for tag in TAGS {
            let open = html.matches(&format!("<{tag} ")).count()
                + html.matches(&format!("<{tag}>")).count();
            let close = html.matches(&format!("</{tag}>")).count();
            assert_eq!(open, close, "{name}: <{tag}>");
        }
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        assert!(
            !html.contains("NaN") && !html.contains(">inf"),
            "{name} shows a number that is none"
        );
    }
}

#[test]
fn tables_download_as_csv_and_json() {
    for (name, bytes) in rendered()
        .files
        .iter()
        .filter(|(name, _)| name.ends_with(".json"))
    {
        let json: serde_json::Value = serde_json::from_slice(bytes).expect("valid JSON");
        let columns = json["columns"].as_array().expect("columns").len();
        assert!(
            json["rows"]
                .as_array()
                .expect("rows")
                .iter()
                .all(|r| r.as_array().is_some_and(|r| r.len() == columns))
        );
        assert!(
            rendered()
                .files
                .contains_key(&name.replace(".json", ".csv")),
            "{name} has no CSV beside it"
        );
    }
}

/// The cell of a downloaded table in the row whose first word is `row`.
fn cell(file: &str, row: impl Fn(&str) -> bool, column: &str) -> serde_json::Value {
    let bytes = rendered()
        .files
        .get(file)
        .unwrap_or_else(|| panic!("no {file}"));
    let json: serde_json::Value = serde_json::from_slice(bytes).expect("valid JSON");
    let columns = json["columns"].as_array().expect("columns");
    let at = columns
        .iter()
        .position(|c| c["title"] == column)
        .unwrap_or_else(|| panic!("{file} has no {column}"));
    let rows = json["rows"].as_array().expect("rows");
    rows.iter()
        .find(|r| r[0].as_str().is_some_and(&row))
        .unwrap_or_else(|| panic!("{file} has no such row"))[at]
        .clone()
}

fn sha_at(position: u32) -> String {
    let store = history();
    let scope = store.scopes().expect("readable").remove(0);
    store.revisions(&scope).expect("readable")[position as usize]
        .sha
        .clone()
}

#[test]
fn a_failed_benchmark_is_a_word_in_every_table() {
    let crashed = sha_at(CRASH.start);
    let is = |wanted: &'static str| move |row: &str| row == wanted;
    let at = |file: &str, row: &'static str, column: &str| cell(file, is(row), column);
    assert_eq!(
        cell("benchmarks/generators.steady.json", |r| r == crashed, "opt"),
        "crash"
    );
    assert_eq!(
        cell(
            "benchmarks/generators.steady.json",
            |r| r == crashed,
            "opt over python3.11"
        ),
        "crash"
    );
    assert!(cell("benchmarks/generators.steady.json", |r| r == crashed, "off").is_f64());
    assert_eq!(
        at(
            &format!("commits/{crashed}.times.json"),
            "generators",
            "opt"
        ),
        "crash"
    );
    assert_eq!(
        at(
            &format!("commits/{crashed}.times.json"),
            "generators",
            "opt v. before"
        ),
        serde_json::Value::Null
    );
    assert_eq!(
        at(
            "speedups/python3.11.speedups.json",
            "alloc",
            "noopt over python3.11"
        ),
        "timeout"
    );
    assert_eq!(
        at("benchmarks/index.benchmarks.json", "alloc", "noopt"),
        "timeout"
    );
    assert!(
        page("speedups/python3.11.html").contains("timeout (noopt)"),
        "the figure names the failure"
    );
}

#[test]
fn a_mean_names_what_it_leaves_out() {
    let table = |column| {
        cell(
            "index.geomeans.json",
            |r| r == "noopt over python3.11",
            column,
        )
    };
    let all = plan().benchmarks.len();
    assert_eq!(table("Benchmarks"), (all - 1) as f64);
    assert_eq!(table("Left out"), "alloc (timeout)");
    assert_eq!(
        cell(
            "index.geomeans.json",
            |r| r == "opt over python3.11",
            "Left out"
        ),
        "none"
    );
}

#[test]
fn the_overview_begins_with_what_failed() {
    let html = page("index.html");
    let failures = html.find("id=\"failures\"").expect("the table of failures");
    assert!(failures < html.find("Speed at").expect("the speed"));
    assert!(html[failures..].contains("timeout") && html[failures..].contains("build"));
}

#[test]
fn neighbours_of_a_night_are_compared_and_others_say_that_they_are_not() {
    let (old, new) = (sha_at(44), sha_at(45));
    let path = format!("compare/{}-{}.html", &old[..12], &new[..12]);
    let html = page(&path);
    assert!(html.contains("int_loop") && html.contains("no verdict: 3 and 3 processes"));
    let json = path.replace(".html", ".rows.json");
    let bytes = rendered().files.get(&json).expect("its table");
    let table: serde_json::Value = serde_json::from_slice(bytes).expect("valid JSON");
    let row = table["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row[0] == "int_loop" && row[1] == "noopt");
    let change = row.expect("the planted step")[2]
        .as_f64()
        .expect("a number");
    assert!((change + 12.0).abs() < 4.0, "{change}");
    // The server makes any pair; the first digits are enough, and nonsense leads nowhere.
    let store = history();
    let site = Site::new(&store);
    let text = |path: &str| {
        site.file(path)
            .expect("readable")
            .map(|file| String::from_utf8(file.bytes).expect("UTF-8"))
    };
    let apart = text(&format!("compare/{}-{}.html", &sha_at(3)[..8], &new[..9])).expect("a page");
    assert!(apart.contains("No run measured both"));
    for nonsense in [
        "compare/-.html",
        "compare/zzzzzzzz-zzzzzzzz.html",
        "compare/a-b.html",
        "searches/99.html",
    ] {
        assert_eq!(text(nonsense), None, "{nonsense}");
    }
}

#[test]
fn the_overview_and_the_status_tell_of_alerts_and_false_alarms() {
    let overview = page("index.html");
    assert!(overview.contains("provisional faster") && overview.contains("A/A canary: 0 of 10"));
    let status = page("status/index.html");
    assert!(status.contains("1 of 10") && status.contains("title=\"micro/alloc\""));
    assert!(status.contains("False alarms by benchmark") && status.contains("0.992 to 1.012"));
}

#[test]
fn a_search_shows_its_answer_its_runs_and_what_is_beyond_the_commit() {
    let found = page("searches/1.html");
    assert!(found.contains(&sha_at(SLOWER.0)[..12]) && found.contains("probability 0.994"));
    assert!(page("searches/2.html").contains("nobody is to blame"));
    let wrong = page("searches/3.html");
    assert!(wrong.contains(">heap<") && wrong.contains("#17") && wrong.contains("crash: SIGSEGV"));
}

#[test]
fn jit_bugs_stand_above_the_scores() {
    let html = page("library/index.html");
    let bugs = html.find("id=\"jit-bugs\"").expect("the table of JIT bugs");
    assert!(bugs < html.find("id=\"modules\"").expect("the modules"));
    assert_eq!(
        html.matches("Cases.test_017").count(),
        1,
        "one row for the bug, in whatever modes"
    );
    let flaky = html.find("id=\"flaky\"").expect("the flaky cases");
    assert!(html[flaky..].contains("opt again: "));
}

#[test]
fn the_planted_step_is_a_change_point_and_a_movement() {
    let html = page("benchmarks/alloc.html");
    assert!(html.contains("id=\"changes\"") && html.contains("+22.0 %"));
    let store = history();
    let scope = store.scopes().expect("readable").remove(0);
    let cells = store
        .benchmark_cells(&scope, "alloc", Metric::Steady)
        .expect("readable");
    let at = |position: u32| {
        let cell = cells
            .iter()
            .find(|c| c.variant == "opt" && c.position == Some(i64::from(position)));
        cell.and_then(|c| c.reading.estimate())
            .map(|e| e.point)
            .expect("measured")
    };
    let ratio = at(SLOWER.0) / at(SLOWER.0 - 1);
    assert!((ratio - SLOWER.1).abs() < 0.05, "{ratio}");
}

#[test]
fn the_store_gives_one_reading_per_benchmark_mode_and_revision() {
    let store = history();
    let scope = store.scopes().expect("readable").remove(0);
    let cells = store.recent_cells(&scope, 6).expect("readable");
    let mut keys: Vec<_> = cells
        .iter()
        .map(|c| {
            (
                c.position,
                c.position.is_none().then_some(c.run),
                &c.benchmark,
                &c.variant,
            )
        })
        .collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
    let revisions: BTreeSet<_> = cells.iter().filter_map(|c| c.position).collect();
    assert_eq!(revisions.len(), 6);
    let newest = *revisions.last().expect("six");
    let alloc = cells
        .iter()
        .find(|c| c.benchmark == "alloc" && c.variant == "noopt" && c.position == Some(newest));
    let Some(Reading::Failed { outcome, .. }) = alloc.map(|c| &c.reading) else {
        panic!("alloc timed out: {alloc:?}")
    };
    assert_eq!(*outcome, Outcome::Timeout);
}

#[test]
fn an_empty_database_renders_with_reasons() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::in_memory().expect("a database in memory");
    let report = render(&store, folder.path()).expect("renders");
    assert_eq!((report.pages, report.tables), (10, 0));
    let html = std::fs::read_to_string(&report.index).expect("the overview");
    assert!(
        html.contains("No night has run yet.")
            && html.contains("No benchmark has been measured yet.")
    );
}

#[test]
fn the_server_makes_the_same_bytes_as_the_folder() {
    let store = history();
    let site = Site::new(&store);
    for (name, bytes) in rendered().files.iter().step_by(9) {
        let file = site
            .file(name)
            .expect("made")
            .unwrap_or_else(|| panic!("{name} is not served"));
        assert_eq!(&file.bytes, bytes, "{name}");
    }
    for absent in [
        "../Cargo.toml",
        "/etc/passwd",
        "benchmarks/../index.html",
        "assets/../index.html",
        "benchmarks/nope.html",
        "benchmarks/alloc.nope.csv",
        "benchmarks/%2e%2e/index.html",
        "assets",
    ] {
        assert_eq!(site.file(absent).expect("answers"), None, "{absent}");
    }
    assert!(
        site.file("").expect("made").is_some(),
        "the root is the overview"
    );
    assert!(
        site.file("benchmarks/").expect("made").is_some(),
        "a folder is its index"
    );
}

/// Sends `request` as it is and returns the whole answer.
fn ask(address: std::net::SocketAddr, request: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn the_server_reads_only_and_refuses_to_leave_the_site() {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let open: Arc<OpenSource> = Arc::new(|| Ok(Box::new(history())));
        let any = "127.0.0.1:0".parse().expect("an address");
        serve(open, None, any, |address| {
            tell.send(address).expect("the test waits")
        })
    });
    let address = told.recv().expect("the server starts");
    let get = |path: &str| {
        ask(
            address,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
    };
    let home = get("/");
    assert!(home.starts_with("HTTP/1.1 200") && home.contains("Last night"));
    for header in [
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
    ] {
        assert!(home.contains(header), "{header}");
    }
    assert!(get("/benchmarks/alloc.html?theme=dark").starts_with("HTTP/1.1 200"));
    assert!(get("/benchmarks/alloc.steady.csv").contains("text/csv"));
    for path in [
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/assets/../index.html",
        "/nothing",
    ] {
        assert!(get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    let post = ask(
        address,
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    );
    assert!(post.starts_with("HTTP/1.1 405"), "{post}");
    let head = ask(
        address,
        "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "no body: {head}"
    );
}
