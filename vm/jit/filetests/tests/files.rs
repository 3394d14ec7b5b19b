//! Runs every `.trace` file below `tests/`. `PYRITE_BLESS=1` accepts what comes out: read the diff.

use std::path::Path;

use pyrite_jit_filetests::{bless, files, run};

#[test]
fn every_file_gives_what_it_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let paths = files(&folder).expect("the folder of tests is there");
    assert!(paths.len() >= 30, "the tests are found: {}", paths.len());
    let mut failures = String::new();
    for path in paths {
        let report = run(&path).unwrap_or_else(|error| panic!("{error}"));
        if report.passed() {
            continue;
        }
        if std::env::var_os("PYRITE_BLESS").is_some() {
            bless(&report).unwrap_or_else(|error| panic!("{error}"));
        } else {
            let (expected, found) = (report.expected.join("\n  "), report.found.join("\n  "));
            failures += &format!(
                "{}\nexpected\n  {expected}\nfound\n  {found}\n",
                report.path.display()
            );
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
