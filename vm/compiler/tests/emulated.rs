//! CPython's own tests of the language, compiled here and run instruction by
//! instruction by `emulator/emulate.py` on CPython. Skipped where CPython 3.11 or
//! its tests are missing.

#[path = "emulator/json.rs"]
mod json;

use pyrite_compiler::{Mode, Options, compile};
use std::path::Path;
use std::process::Command;

const PYTHON: &str = "/usr/bin/python3.11";
const TESTS: &str = "/usr/lib/python3.11/test";

fn run(module: &str) {
    let path = format!("{TESTS}/{module}.py");
    if !Path::new(&path).exists() || !Path::new(PYTHON).exists() {
        eprintln!("skipped: no {path} or no {PYTHON}");
        return;
    }
    let text = std::fs::read_to_string(&path).expect("a UTF-8 test file");
    let unit = compile(
        &text,
        &path,
        Mode::Exec,
        Options::default(),
        &mut Vec::new(),
    )
    .expect("a good program");
    let dump = std::env::temp_dir().join(format!("pyrite-{}-{module}.json", std::process::id()));
    std::fs::write(&dump, json::unit_json(&unit).to_string()).expect("a writable temporary folder");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/emulate.py");
    let out = Command::new(PYTHON)
        .args(["-W", "ignore", script])
        .arg(&dump)
        .arg(format!("test.{module}"))
        .output()
        .expect("python starts");
    let _ = std::fs::remove_file(&dump);
    assert!(
        out.status.success(),
        "{module}:\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

macro_rules! emulated {
    ($($module:ident)*) => {
        $(#[test]
        fn $module() {
            run(stringify!($module));
        })*
    };
}

// Modules that do not look at frames, which the emulator cannot imitate.
emulated! {
    test_asyncgen test_augassign test_baseexception test_compare test_contains
    test_dataclasses test_dictcomps test_enumerate test_exception_variations
    test_global test_keywordonlyarg test_named_expressions test_opcodes
    test_property test_string test_unpack test_with
}
