//! Ctrl-C ends whatever the program is doing by KeyboardInterrupt, in every mode.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = r#"
import sys, time
from posix import pipe, read
from _thread import allocate_lock
def spin():
    i = 0
    while True: i += 1
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def lock():
    l = allocate_lock()
    l.acquire(); l.acquire()
what = {"spin": spin, "calls": lambda: fib(70), "sleep": lambda: time.sleep(60),
        "read": lambda: read(pipe()[0], 1), "lock": lock}[sys.argv[1]]
print("begun", flush=True)
try:
    what()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    raise
"#;

fn interrupt(mode: &str, what: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pyrite"))
        .args([&format!("--jit={mode}"), "-c", PROGRAM, what])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("the program prints");
    assert_eq!(line, "begun\n");
    // Long enough for a loop to be compiled and entered.
    std::thread::sleep(Duration::from_millis(200));
    // SAFETY: a signal to a child that was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let end = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(s) = child.try_wait().expect("our own child") {
            break s;
        }
        if Instant::now() > end {
            child.kill().expect("our own child");
            panic!("{what} in mode {mode} goes on after Ctrl-C");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    line.clear();
    out.read_line(&mut line).expect("the pipe is open");
    assert_eq!(line, "interrupted\n", "{what} in mode {mode}");
    let mut err = String::new();
    let stderr = child.stderr.as_mut().expect("piped");
    stderr.read_to_string(&mut err).expect("text");
    assert!(
        err.trim_end().ends_with("KeyboardInterrupt"),
        "{what} in mode {mode}: {err}"
    );
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal(), Some(libc::SIGINT), "{what} in mode {mode}");
}

#[test]
fn ctrl_c_ends_a_loop() {
    for mode in ["off", "noopt", "opt"] {
        interrupt(mode, "spin");
    }
}

#[test]
fn ctrl_c_ends_recursion_without_loops() {
    for mode in ["off", "noopt", "opt"] {
        interrupt(mode, "calls");
    }
}

#[test]
fn ctrl_c_ends_what_blocks() {
    for what in ["sleep", "read", "lock"] {
        interrupt("opt", what);
    }
}
