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
    // The interpreter runs on a thread of its own with a large native stack:
    // what recursion remains in Rust needs it, and its size is known.
    let child = std::thread::Builder::new()
        .name("main".into())
        .stack_size(boot::NATIVE_STACK)
        .spawn(move || boot::run(parsed));
    let code = match child {
        Ok(t) => t.join().unwrap_or(134),
        Err(e) => {
            eprintln!("pyrite: no thread for the interpreter: {e}");
            1
        }
    };
    std::process::exit(code);
}
