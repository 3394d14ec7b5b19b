//! The program as the runner starts it: right results, and refusal of wrong usage.

use manifest::Category;
use std::path::Path;
use std::process::{Command, Output};

fn parts(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parts"))
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn every_part_gives_its_expected_result() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for bench in manifest::list(&suite).unwrap() {
        if bench.category != Category::Part {
            continue;
        }
        let inner = bench.inner.to_string();
        let output = parts(&[&bench.name, "--inner", &inner, "--iterations", "2"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {output:?}", bench.name);
        let samples: Vec<&str> = text.lines().filter(|l| l.starts_with("sample ")).collect();
        assert_eq!(samples.len(), 2, "{text}");
        assert!(samples[0].starts_with("sample 0 ") && samples[1].starts_with("sample 1 "));
        let result = text
            .lines()
            .find_map(|l| l.strip_prefix("result "))
            .unwrap();
        assert!(bench.accepts(result), "{}: {result}", bench.name);
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for words in [
        &["trace"][..],
        &["nothing", "--inner", "1", "--iterations", "1"],
    ] {
        let output = parts(words);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage: parts"));
    }
}
