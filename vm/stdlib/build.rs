//! Tells the crate what compiled files depend on: a number made of the sources
//! of the front end, the compiler and the instruction table.

use std::path::Path;

fn main() {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for folder in ["../bytecode/src", "../front/src", "../compiler/src"] {
        println!("cargo:rerun-if-changed={folder}");
        add(Path::new(folder), &mut hash);
    }
    add(Path::new("src/marshal_code.rs"), &mut hash);
    println!("cargo:rerun-if-changed=src/marshal_code.rs");
    println!("cargo:rustc-env=PYRITE_CODE_FINGERPRINT={hash}");
}

/// FNV-1a over a file, or over the files of a folder in order of their names.
fn add(path: &Path, hash: &mut u64) {
    if path.is_dir() {
        let mut all: Vec<_> = std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .collect();
        all.sort();
        for p in all {
            add(&p, hash);
        }
    } else {
        for b in std::fs::read(path).unwrap_or_default() {
            *hash = (*hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
        }
    }
}
