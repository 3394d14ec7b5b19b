//! Texts and places of syntax errors, against what CPython 3.11 said about the
//! same programs (`errors/expected.tsv`, written by `errors/generate.py`).

use pyrite_compiler::{ErrorKind, Mode, Options, compile};

/// Rows of the table that must agree: message, and message with line and column.
const MIN_MESSAGES: usize = 333;
const MIN_PLACES: usize = 326;

#[test]
fn says_what_cpython_says() {
    let table = include_str!("errors/expected.tsv");
    let (mut rows, mut messages, mut places) = (0, 0, 0);
    let mut report = Vec::new();
    for row in table.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let [program, kind, line, col, msg] = columns[..] else {
            panic!("a row has five columns: {row}");
        };
        rows += 1;
        let (mode, text) = match program.split_once(':') {
            Some(("eval", t)) => (Mode::Eval, t),
            Some(("single", t)) => (Mode::Single, t),
            _ => (Mode::Exec, program),
        };
        let text = text
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\\\", "\\");
        let Err(e) = compile(&text, "bad.py", mode, Options::default(), &mut Vec::new()) else {
            report.push(format!("accepted: {program}"));
            continue;
        };
        let kind_ok = kind
            == match e.kind {
                ErrorKind::Indentation => "IndentationError",
                ErrorKind::Tab => "TabError",
                _ => "SyntaxError",
            };
        if !kind_ok || e.msg != msg {
            report.push(format!(
                "{program}\n    want {line}:{col} {msg}\n    got  {}:{} {}",
                e.line, e.col, e.msg
            ));
            continue;
        }
        messages += 1;
        if format!("{}:{}", e.line, e.col) == format!("{line}:{col}") {
            places += 1;
        } else {
            report.push(format!(
                "{program}: {msg}\n    want {line}:{col} got {}:{}",
                e.line, e.col
            ));
        }
    }
    eprintln!("{}", report.join("\n"));
    eprintln!("{rows} programs: {messages} texts and {places} places as CPython");
    assert!(
        messages >= MIN_MESSAGES && places >= MIN_PLACES,
        "fewer than before"
    );
    assert!(
        !report.iter().any(|r| r.starts_with("accepted")),
        "a bad program was accepted"
    );
}
