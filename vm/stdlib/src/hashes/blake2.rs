//! BLAKE2b and BLAKE2s (RFC 7693) with keys, salts, personal strings and tree
//! parameters, and the module `_blake2`.

use super::{GETSET, Hash, Hasher, METHODS, hasher, input, new_hash};
use crate::args::ssize;
use crate::{class, module};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout};
use pyrite_objects::native::{NativeDef, effects, new_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// The parameters of RFC 7693's parameter block.
pub struct Params<'a> {
    pub digest_size: usize,
    pub key: &'a [u8],
    pub salt: &'a [u8],
    pub person: &'a [u8],
    pub fanout: u8,
    pub depth: u8,
    pub leaf_size: u32,
    pub node_offset: u64,
    pub node_depth: u8,
    pub inner_size: u8,
    pub last_node: bool,
}

/// Which message word each step of a round takes.
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

macro_rules! blake2 {
    ($(#[$doc:meta])* $name:ident, $word:ty, $rounds:literal, $turns:expr, $iv:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            h: [$word; 8],
            buffer: [u8; $name::BLOCK],
            /// Bytes in the buffer; it is only compressed when more come.
            used: usize,
            counter: u128,
            digest_size: usize,
            last_node: bool,
        }

        impl $name {
            const WORD: usize = size_of::<$word>();
            const BLOCK: usize = 16 * $name::WORD;
            /// Longest digest and key.
            pub const MAX: usize = 8 * $name::WORD;
            /// Length of salt and personal string.
            pub const SALT: usize = 2 * $name::WORD;
            const IV: [$word; 8] = $iv;

            /// A fresh state; sizes are within the limits.
            pub fn new(p: &Params<'_>) -> $name {
                let mut block = [0u8; 8 * $name::WORD];
                block[0] = p.digest_size as u8;
                block[1] = p.key.len() as u8;
                block[2] = p.fanout;
                block[3] = p.depth;
                block[4..8].copy_from_slice(&p.leaf_size.to_le_bytes());
                let offset = p.node_offset.to_le_bytes();
                // The offset takes what is left before the salt but for two bytes
                // (and, in the larger function, 14 reserved ones).
                let bytes = if $name::WORD == 8 { 8 } else { 6 };
                block[8..8 + bytes].copy_from_slice(&offset[..bytes]);
                block[8 + bytes] = p.node_depth;
                block[9 + bytes] = p.inner_size;
                let salt = 4 * $name::WORD;
                block[salt..salt + p.salt.len()].copy_from_slice(p.salt);
                let person = salt + $name::SALT;
                block[person..person + p.person.len()].copy_from_slice(p.person);
                let mut h = $name::IV;
                for (word, bytes) in h.iter_mut().zip(block.chunks_exact($name::WORD)) {
                    let mut w = [0; $name::WORD];
                    w.copy_from_slice(bytes);
                    *word ^= <$word>::from_le_bytes(w);
                }
                let mut state = $name {
                    h,
                    buffer: [0; $name::BLOCK],
                    used: 0,
                    counter: 0,
                    digest_size: p.digest_size,
                    last_node: p.last_node,
                };
                if !p.key.is_empty() {
                    let mut block = [0; $name::BLOCK];
                    block[..p.key.len()].copy_from_slice(p.key);
                    state.update(&block);
                }
                state
            }

            fn compress(&mut self, last: bool) {
                self.counter += self.used as u128;
                let mut m = [0; 16];
                for (word, bytes) in m.iter_mut().zip(self.buffer.chunks_exact($name::WORD)) {
                    let mut w = [0; $name::WORD];
                    w.copy_from_slice(bytes);
                    *word = <$word>::from_le_bytes(w);
                }
                let mut v = [0; 16];
                v[..8].copy_from_slice(&self.h);
                v[8..].copy_from_slice(&$name::IV);
                v[12] ^= self.counter as $word;
                v[13] ^= (self.counter >> <$word>::BITS) as $word;
                if last {
                    v[14] = !v[14];
                    if self.last_node {
                        v[15] = !v[15];
                    }
                }
                for round in 0..$rounds {
                    let s = &SIGMA[round % 10];
                    for (i, [a, b, c, d]) in [
                        [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
                        [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
                    ].into_iter().enumerate() {
                        let turns: [u32; 4] = $turns;
                        v[a] = v[a].wrapping_add(v[b]).wrapping_add(m[s[2 * i]]);
                        v[d] = (v[d] ^ v[a]).rotate_right(turns[0]);
                        v[c] = v[c].wrapping_add(v[d]);
                        v[b] = (v[b] ^ v[c]).rotate_right(turns[1]);
                        v[a] = v[a].wrapping_add(v[b]).wrapping_add(m[s[2 * i + 1]]);
                        v[d] = (v[d] ^ v[a]).rotate_right(turns[2]);
                        v[c] = v[c].wrapping_add(v[d]);
                        v[b] = (v[b] ^ v[c]).rotate_right(turns[3]);
                    }
                }
                for i in 0..8 {
                    self.h[i] ^= v[i] ^ v[i + 8];
                }
                self.used = 0;
            }

            /// Hashes further bytes.
            pub fn update(&mut self, mut bytes: &[u8]) {
                while !bytes.is_empty() {
                    if self.used == $name::BLOCK {
                        self.compress(false);
                    }
                    let n = bytes.len().min($name::BLOCK - self.used);
                    self.buffer[self.used..self.used + n].copy_from_slice(&bytes[..n]);
                    self.used += n;
                    bytes = &bytes[n..];
                }
            }

            /// The digest of what was hashed so far.
            pub fn finish(&self) -> Vec<u8> {
                let mut last = self.clone();
                last.buffer[last.used..].fill(0);
                last.compress(true);
                let all = last.h.iter().flat_map(|w| w.to_le_bytes());
                all.take(self.digest_size).collect()
            }

            /// Bytes of a digest.
            pub fn digest_size(&self) -> usize {
                self.digest_size
            }
        }
    };
}

blake2! {
    /// The function for 64-bit machines.
    Blake2b, u64, 12, [32, 24, 16, 63], [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]
}
blake2! {
    /// The function for smaller ones.
    Blake2s, u32, 10, [16, 12, 8, 7], [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
}

const SIGNATURE: &str = "($type, data=b'', /, *, digest_size=64, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)";

static NEW_B: [NativeDef; 1] = [new_def(SIGNATURE, effects::CALLS, |vm, a| new(vm, a, true))];
static NEW_S: [NativeDef; 1] = [new_def(SIGNATURE, effects::CALLS, |vm, a| {
    new(vm, a, false)
})];

/// A number argument within limits.
fn number(vm: &mut Vm, v: Value, default: i64, low: i64, high: i64, error: &str) -> R<i64> {
    if v.is_null() {
        return Ok(default);
    }
    let n = ssize(vm, v)?;
    if n < low || n > high {
        return Err(vm.value_error(error));
    }
    Ok(n)
}

/// An argument of bytes with a longest length.
fn text(vm: &mut Vm, v: Value, max: usize, error: &str) -> R<&'static [u8]> {
    if v.is_null() {
        return Ok(&[]);
    }
    let Some(b) = vm.buffer(v) else {
        let m = format!(
            "a bytes-like object is required, not '{}'",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    };
    if b.len() > max {
        return Err(vm.value_error(error));
    }
    Ok(b)
}

fn new(vm: &mut Vm, a: &[Value], large: bool) -> R {
    let (max, salt) = if large {
        (Blake2b::MAX, Blake2b::SALT)
    } else {
        (Blake2s::MAX, Blake2s::SALT)
    };
    let m = format!("digest_size must be between 1 and {max} bytes");
    let digest_size = number(vm, a[2], max as i64, 1, max as i64, &m)? as usize;
    let m = format!("maximum salt length is {salt} bytes");
    let salt_bytes = text(vm, a[4], salt, &m)?;
    let m = format!("maximum person length is {salt} bytes");
    let person = text(vm, a[5], salt, &m)?;
    let fanout = number(vm, a[6], 1, 0, 255, "fanout must be between 0 and 255")?;
    let depth = number(vm, a[7], 1, 1, 255, "depth must be between 1 and 255")?;
    let leaf_size = unsigned(vm, a[8], 32, "leaf_size is too large")?;
    let bits = if large { 64 } else { 48 };
    let m = if large {
        "int too big to convert"
    } else {
        "node_offset is too large"
    };
    let node_offset = unsigned(vm, a[9], bits, m)?;
    let m = "node_depth must be between 0 and 255";
    let node_depth = number(vm, a[10], 0, 0, 255, m)?;
    let m = format!("inner_size must be between 0 and is {max}");
    let inner_size = number(vm, a[11], 0, 0, max as i64, &m)?;
    let last_node = a[12].is_some() && vm.truth(a[12])?;
    let m = format!("maximum key length is {max} bytes");
    let key = text(vm, a[3], max, &m)?;
    let p = Params {
        digest_size,
        key,
        salt: salt_bytes,
        person,
        fanout: fanout as u8,
        depth: depth as u8,
        leaf_size: leaf_size as u32,
        node_offset,
        node_depth: node_depth as u8,
        inner_size: inner_size as u8,
        last_node,
    };
    let state = if large {
        Hasher::Blake2b(Blake2b::new(&p))
    } else {
        Hasher::Blake2s(Blake2s::new(&p))
    };
    let v = new_hash(vm, Gc::from_value(a[0]), state);
    if a[1].is_some() {
        let b = input(vm, a[1])?;
        hasher(v).update(b);
    }
    Ok(v)
}

/// A number that is not negative and fits `bits` bits.
fn unsigned(vm: &mut Vm, v: Value, bits: u32, error: &str) -> R<u64> {
    if v.is_null() {
        return Ok(0);
    }
    let i = vm.index(v)?;
    let big = vm.int_to_big(i);
    if pyrite_objects::int::is_negative(vm, i) {
        return Err(vm.value_error("value must be positive"));
    }
    match u64::try_from(&big) {
        Ok(n) if bits == 64 || n >> bits == 0 => Ok(n),
        _ => Err(vm.overflow_error(error)),
    }
}

/// Makes `_blake2`.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_blake2", "", &[]);
    for (name, new, max, salt) in [
        ("blake2b", &NEW_B, Blake2b::MAX, Blake2b::SALT),
        ("blake2s", &NEW_S, Blake2s::MAX, Blake2s::SALT),
    ] {
        let t = class(
            vm,
            m,
            &TypeDef {
                module: "_blake2",
                methods: &METHODS,
                getset: &GETSET,
                base_type: true,
                ..TypeDef::of::<Hash>(name, Layout::Library)
            },
        );
        vm.add_methods(t, new);
        for (key, n) in [
            ("SALT_SIZE", salt),
            ("PERSON_SIZE", salt),
            ("MAX_KEY_SIZE", max),
            ("MAX_DIGEST_SIZE", max),
        ] {
            vm.type_set(t, key, Value::int_unchecked(n as i64));
        }
    }
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Params<'_> = Params {
        digest_size: 32,
        key: &[],
        salt: &[],
        person: &[],
        fanout: 1,
        depth: 1,
        leaf_size: 0,
        node_offset: 0,
        node_depth: 0,
        inner_size: 0,
        last_node: false,
    };

    /// RFC 7693, appendices A and B: the digests of "abc".
    #[test]
    fn digests_of_abc_are_the_rfcs() {
        let mut b = Blake2b::new(&Params {
            digest_size: 64,
            ..PLAIN
        });
        b.update(b"abc");
        assert_eq!(b.finish()[..6], [0xba, 0x80, 0xa5, 0x3f, 0x98, 0x1c]);
        let mut s = Blake2s::new(&PLAIN);
        s.update(b"abc");
        assert_eq!(s.finish()[..6], [0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c]);
    }
}
