//! Manifests that must be accepted or refused, and the suite as it stands.

use std::path::Path;

use manifest::{Benchmark, Category, HARNESS_PROTOCOL, ManifestError, find, list};

const GOOD: &str = "name = \"spin\"\ncategory = \"micro\"\ninner = 10\nexpected = \"45\"\n";
const PROGRAM: &str = "def run(inner):\n    return sum(range(inner))\n";

fn write(suite: &Path, shelf: &str, name: &str, manifest: &str, program: &str) {
    let folder = suite.join(shelf).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bench.toml"), manifest).unwrap();
    std::fs::write(folder.join("bench.py"), program).unwrap();
}

fn load(manifest: &str) -> Result<Benchmark, ManifestError> {
    let suite = tempfile::tempdir().unwrap();
    write(suite.path(), "micro", "spin", manifest, PROGRAM);
    Benchmark::load(&suite.path().join("micro/spin"))
}

/// The message with the temporary folder cut off its front.
fn message(manifest: &str) -> String {
    let text = load(manifest).expect_err("the manifest is bad").to_string();
    let at = text.find("bench.toml").expect("the message names the file");
    text[at..].to_owned()
}

#[test]
fn a_good_manifest_loads_with_defaults() {
    let bench = load(GOOD).unwrap();
    assert_eq!(
        (bench.name.as_str(), bench.inner, bench.category),
        ("spin", 10, Category::Micro)
    );
    assert_eq!(bench.time_limit.as_secs(), 60);
    assert!(bench.accepts("45\n") && !bench.accepts("46") && !bench.accepts("'45'"));
    assert_eq!(bench.source_hash.len(), 64);
}

#[test]
fn faults_name_the_file_and_the_key() {
    let with = |from: &str, to: &str| message(&GOOD.replace(from, to));
    assert_eq!(
        with("inner = 10", "inner = 0"),
        "bench.toml: inner: 0 is below 1"
    );
    assert_eq!(
        with("\"spin\"", "\"Spin\""),
        "bench.toml: name: \"Spin\" is not lower-case letters, digits and '_'"
    );
    assert_eq!(
        with("\"spin\"", "\"spun\""),
        "bench.toml: name: \"spun\" is not the folder's name"
    );
    assert_eq!(
        with("\"45\"", "\" \""),
        "bench.toml: expected: a result to check is required"
    );
    assert_eq!(
        with("inner", "time_limit_s = -1\ninner"),
        "bench.toml: time_limit_s: -1 is not between 0 and a day"
    );
    assert!(with("inner = 10\n", "").contains("missing field `inner`"));
    assert!(with("inner = 10", "iner = 10").starts_with("bench.toml:3: unknown field `iner`"));
    assert!(with("\"micro\"", "\"tiny\"").starts_with("bench.toml:2: unknown variant `tiny`"));
    assert!(with("inner = 10", "inner = \"ten\"").starts_with("bench.toml:3: invalid type"));
}

#[test]
fn a_missing_program_is_named() {
    let suite = tempfile::tempdir().unwrap();
    let folder = suite.path().join("spin");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bench.toml"), GOOD).unwrap();
    let text = Benchmark::load(&folder).unwrap_err().to_string();
    assert!(text.ends_with("spin/bench.py"), "{text}");
}

#[test]
fn the_hash_follows_the_work_and_nothing_else() {
    let hash = |manifest: &str, program: &str| {
        let suite = tempfile::tempdir().unwrap();
        write(suite.path(), "micro", "spin", manifest, program);
        find(suite.path(), "spin").unwrap().source_hash
    };
    let base = hash(GOOD, PROGRAM);
    assert_eq!(
        base,
        hash(
            &format!("{GOOD}description = \"words\"\ntime_limit_s = 5\n"),
            PROGRAM
        )
    );
    assert_ne!(base, hash(&GOOD.replace("10", "11"), PROGRAM));
    assert_ne!(base, hash(&GOOD.replace("45", "46"), PROGRAM));
    assert_ne!(base, hash(GOOD, &format!("{PROGRAM}\n")));
}

#[test]
fn a_suite_refuses_duplicates_and_wrong_shelves() {
    let suite = tempfile::tempdir().unwrap();
    assert!(list(suite.path()).unwrap().is_empty());
    write(suite.path(), "micro", "spin", GOOD, PROGRAM);
    write(
        suite.path(),
        "macro",
        "spin",
        &GOOD.replace("micro", "macro"),
        PROGRAM,
    );
    assert!(matches!(
        list(suite.path()),
        Err(ManifestError::Duplicate { .. })
    ));
    write(suite.path(), "macro", "spin", GOOD, PROGRAM);
    let text = list(suite.path()).unwrap_err().to_string();
    assert!(
        text.ends_with("category: \"micro\", but the folder lies in macro/"),
        "{text}"
    );
    let text = find(&suite.path().join("none"), "spin")
        .unwrap_err()
        .to_string();
    assert!(text.starts_with("no benchmark spin in "), "{text}");
}

#[test]
fn the_shipped_suite_is_valid_and_speaks_this_protocol() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let names: Vec<_> = list(suite)
        .unwrap()
        .into_iter()
        .map(|bench| bench.name)
        .collect();
    for name in [
        "alloc",
        "calls",
        "float_loop",
        "generators",
        "int_loop",
        "objects",
    ] {
        assert!(names.iter().any(|have| have == name), "{name} is missing");
    }
    let harness = std::fs::read_to_string(suite.join("harness.py")).unwrap();
    assert!(harness.contains(&format!("\nPROTOCOL = {HARNESS_PROTOCOL}\n")));
}
