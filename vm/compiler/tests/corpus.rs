//! Every file of the installed standard library and its tests compiles, exactly
//! when CPython compiles it. Skipped where that library is not installed.

mod verify;

use pyrite_compiler::{Mode, Options, compile};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const LIB: &str = "/usr/lib/python3.11";
const PYTHON: &str = "/usr/bin/python3.11";

/// Prints the files that CPython refuses.
const REFUSED: &str = r"
import sys, warnings
warnings.simplefilter('ignore')
for path in sys.stdin.read().split('\n'):
    if not path: continue
    try: compile(open(path, 'rb').read(), path, 'exec', dont_inherit=True)
    except (SyntaxError, ValueError): print(path)
";

fn python_files(dir: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for e in entries.flatten() {
        let path = e.path();
        if path.is_dir() {
            python_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "py") {
            out.push(path);
        }
    }
}

fn refused_by_cpython(files: &[PathBuf]) -> Option<HashSet<PathBuf>> {
    use std::io::Write;
    let mut child = Command::new(PYTHON)
        .args(["-S", "-c", REFUSED])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .ok()?;
    let list: String = files.iter().map(|p| format!("{}\n", p.display())).collect();
    child.stdin.take()?.write_all(list.as_bytes()).ok()?;
    let out = child.wait_with_output().ok()?;
    Some(
        String::from_utf8_lossy(&out.stdout)
            .lines()
            .map(PathBuf::from)
            .collect(),
    )
}

#[test]
fn compiles_what_cpython_compiles() {
    let mut files = Vec::new();
    python_files(Path::new(LIB), &mut files);
    files.sort();
    if files.is_empty() {
        eprintln!("skipped: no {LIB}");
        return;
    }
    let refused = refused_by_cpython(&files).unwrap_or_default();
    let mut wrong = Vec::new();
    let (mut bytes, mut instructions, mut spent) = (0, 0, Duration::ZERO);
    for path in &files {
        let raw = std::fs::read(path).expect("a readable file");
        let start = Instant::now();
        let result = pyrite_front::decode(&raw, &mut |name, _| {
            Err(format!("unknown encoding: {name}"))
        })
        .and_then(|text| {
            bytes += text.len();
            compile(
                &text,
                &path.to_string_lossy(),
                Mode::Exec,
                Options::default(),
                &mut Vec::new(),
            )
        });
        spent += start.elapsed();
        match result {
            Ok(unit) => {
                instructions += unit.instrs.len();
                verify::verify(&unit);
                if refused.contains(path) {
                    wrong.push(format!("{}: wrongly accepted", path.display()));
                }
            }
            // Other codings are the codec machinery's business.
            Err(e) if e.msg.starts_with("unknown encoding") => {}
            Err(e) if !refused.contains(path) => wrong.push(format!("{}: {e}", path.display())),
            Err(_) => {}
        }
    }
    eprintln!(
        "{} files, {} refused by CPython, {bytes} bytes, {instructions} top-level instructions, {spent:?}",
        files.len(),
        refused.len()
    );
    assert!(
        wrong.is_empty(),
        "{} files differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
