//! `faulthandler` tells where the program was.

use std::process::{Command, Output};

fn run(program: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pyrite"))
        .args(["-c", program])
        .output()
        .expect("the binary was built for this test")
}

fn stderr(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

#[test]
fn a_dump_names_the_frames_innermost_first() {
    let o = run(
        "import faulthandler\ndef inner():\n    faulthandler.dump_traceback(2, all_threads=False)\ndef outer():\n    inner()\nouter()\n",
    );
    let want = "Stack (most recent call first):\n  File \"<string>\", line 3 in inner\n  File \"<string>\", line 5 in outer\n  File \"<string>\", line 6 in <module>\n";
    assert_eq!(stderr(&o), want);
    assert!(o.status.success());
}

#[test]
fn a_fatal_signal_is_reported_before_it_kills() {
    use std::os::unix::process::ExitStatusExt;
    let o = run(
        "import faulthandler\nfaulthandler.enable()\ndef f():\n    faulthandler._sigsegv()\nf()\n",
    );
    let err = stderr(&o);
    assert!(
        err.starts_with("Fatal Python error: Segmentation fault\n\nCurrent thread 0x"),
        "{err}"
    );
    assert!(err.contains("  File \"<string>\", line 4 in f\n"), "{err}");
    assert_eq!(o.status.signal(), Some(libc::SIGSEGV));
}

#[test]
fn a_program_that_takes_too_long_is_shown_in_its_loop() {
    let o = run(
        "import faulthandler\ndef f():\n    faulthandler.dump_traceback_later(0.2, exit=True)\n    while True:\n        pass\nf()\n",
    );
    let err = stderr(&o);
    assert!(
        err.starts_with("Timeout (0:00:00.200000)!\nThread 0x"),
        "{err}"
    );
    assert!(err.contains(" in f\n"), "{err}");
    assert_eq!(o.status.code(), Some(1));
}

#[test]
fn a_thread_that_sleeps_is_shown_too() {
    let o = run(
        "import faulthandler, time, _thread\ndef g():\n    time.sleep(30)\n_thread.start_new_thread(g, ())\ntime.sleep(0.2)\nfaulthandler.dump_traceback(2)\n",
    );
    let err = stderr(&o);
    assert!(err.contains("line 3 in g\n"), "{err}");
    assert!(err.contains("line 6 in <module>\n"), "{err}");
    assert!(o.status.success());
}
