//! One type for the running state of any hash function.

use super::blake2::{Blake2b, Blake2s};
use super::sha3::Keccak;
use sha2::digest::Digest;

/// State of one hash function.
#[derive(Clone)]
pub enum Hasher {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha224(sha2::Sha224),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
    Sha3(Keccak),
    Blake2b(Blake2b),
    Blake2s(Blake2s),
}

macro_rules! each {
    ($self:ident, $d:ident => $digest:expr, $own:ident => $other:expr) => {
        match $self {
            Hasher::Md5($d) => $digest,
            Hasher::Sha1($d) => $digest,
            Hasher::Sha224($d) => $digest,
            Hasher::Sha256($d) => $digest,
            Hasher::Sha384($d) => $digest,
            Hasher::Sha512($d) => $digest,
            Hasher::Sha3($own) => $other,
            Hasher::Blake2b($own) => $other,
            Hasher::Blake2s($own) => $other,
        }
    };
}

impl Hasher {
    pub fn md5() -> Hasher {
        Hasher::Md5(md5::Md5::new())
    }

    pub fn sha1() -> Hasher {
        Hasher::Sha1(sha1::Sha1::new())
    }

    pub fn sha224() -> Hasher {
        Hasher::Sha224(sha2::Sha224::new())
    }

    pub fn sha256() -> Hasher {
        Hasher::Sha256(sha2::Sha256::new())
    }

    pub fn sha384() -> Hasher {
        Hasher::Sha384(sha2::Sha384::new())
    }

    pub fn sha512() -> Hasher {
        Hasher::Sha512(sha2::Sha512::new())
    }

    /// Hashes further bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        each!(self, d => Digest::update(d, bytes), own => own.update(bytes));
    }

    /// The digest of what was hashed so far; more may follow.
    pub fn finish(&self) -> Vec<u8> {
        each!(self, d => d.clone().finalize().to_vec(), own => own.finish())
    }

    /// Bytes of a digest; 0 where the caller decides.
    pub fn digest_size(&self) -> usize {
        match self {
            Hasher::Md5(_) => 16,
            Hasher::Sha1(_) => 20,
            Hasher::Sha224(_) => 28,
            Hasher::Sha256(_) => 32,
            Hasher::Sha384(_) => 48,
            Hasher::Sha512(_) => 64,
            Hasher::Sha3(k) => k.variant.digest_size(),
            Hasher::Blake2b(b) => b.digest_size(),
            Hasher::Blake2s(b) => b.digest_size(),
        }
    }

    /// Bytes that are hashed at a time.
    pub fn block_size(&self) -> usize {
        match self {
            Hasher::Sha384(_) | Hasher::Sha512(_) | Hasher::Blake2b(_) => 128,
            Hasher::Sha3(k) => k.variant.rate(),
            _ => 64,
        }
    }

    /// The function's name in `hashlib`.
    pub fn name(&self) -> &'static str {
        match self {
            Hasher::Md5(_) => "md5",
            Hasher::Sha1(_) => "sha1",
            Hasher::Sha224(_) => "sha224",
            Hasher::Sha256(_) => "sha256",
            Hasher::Sha384(_) => "sha384",
            Hasher::Sha512(_) => "sha512",
            Hasher::Sha3(k) => k.variant.name(),
            Hasher::Blake2b(_) => "blake2b",
            Hasher::Blake2s(_) => "blake2s",
        }
    }
}
