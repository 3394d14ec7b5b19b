//! `pyrite`: the command.

mod boot;

fn main() {
    // The interpreter runs on a thread of its own with a large native stack:
    // what recursion remains in Rust needs it, and its size is known.
    const STACK: usize = 512 << 20;
    let child = std::thread::Builder::new()
        .name("main".into())
        .stack_size(STACK)
        .spawn(boot::run);
    let code = match child {
        Ok(t) => t.join().unwrap_or(134),
        Err(e) => {
            eprintln!("pyrite: no thread for the interpreter: {e}");
            1
        }
    };
    std::process::exit(code);
}
