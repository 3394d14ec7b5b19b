//! Prints a Python file's code unit as JSON, for `tests/emulator/emulate.py`.

use json::unit_json;
use pyrite_compiler::{Mode, Options, compile};

#[path = "../tests/emulator/json.rs"]
mod json;

fn main() {
    let name = std::env::args().nth(1).expect("usage: dump FILE");
    let bytes = std::fs::read(&name).expect("a readable file");
    let text = pyrite_front::decode(&bytes, &mut |name, _| {
        Err(format!("unknown encoding: {name}"))
    })
    .expect("decodable source");
    match compile(
        &text,
        &name,
        Mode::Exec,
        Options::default(),
        &mut Vec::new(),
    ) {
        Ok(unit) => println!("{}", unit_json(&unit)),
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(1);
        }
    }
}
