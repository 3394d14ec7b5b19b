//! `pyrite`: the command.

use pyrite::args::{self, Stop};
use pyrite::boot;

fn main() {
    let parsed = match args::parse(std::env::args_os().collect()) {
        Ok(a) => a,
        Err(Stop::Print(text)) => {
            println!("{text}");
            return;
        }
        Err(Stop::Usage(text)) => {
            eprintln!("pyrite: {text}");
            std::process::exit(2);
        }
    };
    boot::tune_allocator();
    // The interpreter runs on a thread of its own with a large native stack:
    // what recursion remains in Rust needs it, and its size is known.
    let child = std::thread::Builder::new()
        .name("main".into())
        .stack_size(boot::NATIVE_STACK)
        // The process ends from there: after a fork that thread is the only one.
        .spawn(move || {
            std::process::exit(boot::run(parsed));
        });
    // Signals go to the threads that run Python code.
    // SAFETY: blocks signals for this thread, which only waits.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
    let code = match child {
        Ok(t) => {
            // It ends the process itself, unless it panics.
            let _: Result<(), _> = t.join();
            134
        }
        Err(e) => {
            eprintln!("pyrite: no thread for the interpreter: {e}");
            1
        }
    };
    std::process::exit(code);
}
