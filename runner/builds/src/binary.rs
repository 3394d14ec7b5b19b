//! What a program file is made of: its hash, its size, its code section.

use crate::{BuildsError, io};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A program file, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    pub sha256: String,
    pub bytes: u64,
    /// Size and hash of the `.text` section of an ELF file; two builds with equal code differ in time by noise only.
    pub text: Option<(u64, String)>,
}

/// Reads and describes the file at `path`.
///
/// # Errors
/// What the file system says.
pub fn describe(path: &Path) -> Result<Binary, BuildsError> {
    let bytes = std::fs::read(path).map_err(io(path))?;
    let text = text_section(&bytes).map(|text| (text.len() as u64, hex(&Sha256::digest(text))));
    Ok(Binary {
        sha256: hex(&Sha256::digest(&bytes)),
        bytes: bytes.len() as u64,
        text,
    })
}

/// Lower-case hex SHA-256 of a file.
///
/// # Errors
/// What the file system says.
pub fn hash_file(path: &Path) -> Result<String, BuildsError> {
    Ok(hex(&Sha256::digest(std::fs::read(path).map_err(io(path))?)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `.text` section of a little-endian 64-bit ELF file. Layout: System V ABI, "Object Files", chapter 4.
fn text_section(file: &[u8]) -> Option<&[u8]> {
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let u16_at = |at: usize| {
        Some(usize::from(u16::from_le_bytes(
            file.get(at..at + 2)?.try_into().ok()?,
        )))
    };
    let u32_at = |at: usize| {
        usize::try_from(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?)).ok()
    };
    let u64_at = |at: usize| {
        usize::try_from(u64::from_le_bytes(
            file.get(at..at.checked_add(8)?)?.try_into().ok()?,
        ))
        .ok()
    };
    let (table, entry, count, names) = (u64_at(0x28)?, u16_at(0x3a)?, u16_at(0x3c)?, u16_at(0x3e)?);
    let header = |index: usize| table.checked_add(entry.checked_mul(index)?);
    let names = u64_at(header(names)?.checked_add(0x18)?)?;
    for index in 0..count {
        let at = header(index)?;
        let name = names.checked_add(u32_at(at)?)?;
        if file.get(name..name.checked_add(6)?) == Some(b".text\0") {
            let (offset, size) = (
                u64_at(at.checked_add(0x18)?)?,
                u64_at(at.checked_add(0x20)?)?,
            );
            return file.get(offset..offset.checked_add(size)?);
        }
    }
    None
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_code_of_this_very_test_is_found() {
        let own = describe(&std::env::current_exe().unwrap()).unwrap();
        let (bytes, sha256) = own.text.unwrap();
        assert!(bytes > 10_000 && bytes < own.bytes);
        assert_eq!(sha256.len(), 64);
    }

    #[test]
    fn what_is_no_elf_file_has_no_code_section() {
        assert_eq!(text_section(b"#!/bin/sh\n"), None);
        assert_eq!(text_section(b"\x7fELF\x02\x01"), None);
        let mut cut = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        cut.truncate(200);
        assert_eq!(text_section(&cut), None);
    }
}
