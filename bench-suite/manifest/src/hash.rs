//! The identity of a benchmark's work.
//!
//! Fields are written with their lengths, so that no two different manifests
//! feed the same bytes to the hash.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::HARNESS_PROTOCOL;

/// SHA-256, lower-case hex, of all that decides what a timed call does.
pub(crate) fn source_hash(program: &[u8], inner: u64, expected: &str) -> String {
    let mut hasher = Sha256::new();
    for field in [
        &HARNESS_PROTOCOL.to_le_bytes()[..],
        &inner.to_le_bytes()[..],
        expected.as_bytes(),
        program,
    ] {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}
