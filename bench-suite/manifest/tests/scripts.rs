//! A folder of scripts in pyperf's style, in both layouts.

use manifest::{Category, ManifestError, scripts};
use std::fs;

#[test]
fn folders_and_files_are_scripts_and_nothing_else_is() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    };
    put("bm_json_dumps/run_benchmark.py", "one");
    put("bm_json_dumps/pyproject.toml", "");
    put("Own-Script.py", "two");
    put("_helpers.py", "");
    put("data/words.txt", "");
    put("MANIFEST", "");
    let found = scripts(dir.path()).expect("readable");
    let names: Vec<&str> = found.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["json_dumps", "own_script"]);
    assert!(
        found
            .iter()
            .all(|b| b.category == Category::Script && b.accepts("'ran'"))
    );
    assert_ne!(found[0].source_hash, found[1].source_hash);

    put("json_dumps.py", "three");
    assert!(matches!(
        scripts(dir.path()),
        Err(ManifestError::Duplicate { .. })
    ));
    assert!(matches!(
        scripts(&dir.path().join("absent")),
        Err(ManifestError::Read { .. })
    ));
}
