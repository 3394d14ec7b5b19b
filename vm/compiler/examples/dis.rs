//! Prints the bytecode of a Python file: `cargo run --example dis FILE`.

use pyrite_compiler::{Mode, Options, compile};

fn main() {
    let name = std::env::args().nth(1).expect("usage: dis FILE");
    let text = std::fs::read_to_string(&name).expect("a readable UTF-8 file");
    match compile(
        &text,
        &name,
        Mode::Exec,
        Options::default(),
        &mut Vec::new(),
    ) {
        Ok(unit) => print!("{}", pyrite_bytecode::disassemble(&unit)),
        Err(e) => eprintln!("{e}"),
    }
}
