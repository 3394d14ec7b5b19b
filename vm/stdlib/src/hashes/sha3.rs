//! SHA-3 and SHAKE: the Keccak sponge of FIPS 202, and the module `_sha3`.

use super::{Hash, Hasher, copy, hasher, hex, input, new_hash, update};
use crate::args::ssize;
use crate::{class, module};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter, new_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// Which of the six functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Shake128,
    Shake256,
}

impl Variant {
    /// Bytes absorbed between permutations.
    pub fn rate(self) -> usize {
        match self {
            Variant::Sha3_224 => 144,
            Variant::Sha3_256 | Variant::Shake256 => 136,
            Variant::Sha3_384 => 104,
            Variant::Sha3_512 => 72,
            Variant::Shake128 => 168,
        }
    }

    /// Bytes of a digest; 0 for those of any length.
    pub fn digest_size(self) -> usize {
        match self {
            Variant::Sha3_224 => 28,
            Variant::Sha3_256 => 32,
            Variant::Sha3_384 => 48,
            Variant::Sha3_512 => 64,
            Variant::Shake128 | Variant::Shake256 => 0,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Variant::Sha3_224 => "sha3_224",
            Variant::Sha3_256 => "sha3_256",
            Variant::Sha3_384 => "sha3_384",
            Variant::Sha3_512 => "sha3_512",
            Variant::Shake128 => "shake_128",
            Variant::Shake256 => "shake_256",
        }
    }

    /// The bits appended to the message, with the padding's first.
    fn suffix(self) -> u8 {
        if self.digest_size() == 0 { 0x1f } else { 0x06 }
    }
}

/// The sponge: `at` bytes of the current block are absorbed.
#[derive(Clone)]
pub struct Keccak {
    lanes: [u64; 25],
    at: usize,
    pub variant: Variant,
}

const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

fn permute(a: &mut [u64; 25]) {
    for round in ROUNDS {
        let mut c = [0; 5];
        for x in 0..5 {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        }
        for x in 0..5 {
            let d = c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                a[x + 5 * y] ^= d;
            }
        }
        // Lane (x, y) goes to (y, 2x + 3y), rotated by the triangular numbers.
        let (mut x, mut y, mut lane) = (1, 0, a[1]);
        for t in 0..24 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            let turned = lane.rotate_left((t + 1) * (t + 2) / 2 % 64);
            lane = std::mem::replace(&mut a[x + 5 * y], turned);
        }
        for y in 0..5 {
            let row: [u64; 5] = std::array::from_fn(|x| a[x + 5 * y]);
            for x in 0..5 {
                a[x + 5 * y] = row[x] ^ !row[(x + 1) % 5] & row[(x + 2) % 5];
            }
        }
        a[0] ^= round;
    }
}

impl Keccak {
    pub fn new(variant: Variant) -> Keccak {
        Keccak {
            lanes: [0; 25],
            at: 0,
            variant,
        }
    }

    fn xor(&mut self, i: usize, b: u8) {
        self.lanes[i / 8] ^= u64::from(b) << (i % 8 * 8);
    }

    /// Absorbs bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.xor(self.at, b);
            self.at += 1;
            if self.at == self.variant.rate() {
                permute(&mut self.lanes);
                self.at = 0;
            }
        }
    }

    /// The digest of what was absorbed.
    pub fn finish(&self) -> Vec<u8> {
        self.squeeze(self.variant.digest_size())
    }

    /// `len` bytes of output.
    pub fn squeeze(&self, len: usize) -> Vec<u8> {
        let mut k = self.clone();
        let rate = k.variant.rate();
        k.xor(k.at, k.variant.suffix());
        k.xor(rate - 1, 0x80);
        let mut out = Vec::with_capacity(len);
        while out.len() < len {
            permute(&mut k.lanes);
            let block = k.lanes.iter().flat_map(|l| l.to_le_bytes());
            out.extend(block.take(rate.min(len - out.len())));
        }
        out
    }
}

/// `__new__` of a class.
macro_rules! new {
    ($variant:ident) => {
        new_def(
            "($type, data=b'', /, *, usedforsecurity=True)",
            effects::CALLS,
            |vm, a| {
                let state = Hasher::Sha3(Keccak::new(Variant::$variant));
                let v = new_hash(vm, Gc::from_value(a[0]), state);
                if a[1].is_some() {
                    let b = input(vm, a[1])?;
                    hasher(v).update(b);
                }
                Ok(v)
            },
        )
    };
}

static NEW: [NativeDef; 6] = [
    new!(Sha3_224),
    new!(Sha3_256),
    new!(Sha3_384),
    new!(Sha3_512),
    new!(Shake128),
    new!(Shake256),
];
const NAMES: [&str; 6] = [
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "shake_128",
    "shake_256",
];

/// Output of the length asked for.
fn squeeze(vm: &mut Vm, a: &[Value]) -> R<Vec<u8>> {
    let n = ssize(vm, a[1])?;
    if n < 0 {
        return Err(vm.value_error("value must be positive"));
    }
    if n >= 1 << 29 {
        return Err(vm.value_error("length is too large"));
    }
    match hasher(a[0]) {
        Hasher::Sha3(k) => Ok(k.squeeze(n as usize)),
        _ => Ok(Vec::new()),
    }
}

static SHAKE: [NativeDef; 4] = [
    def("update", "($self, obj, /)", effects::CALLS, update),
    def("digest", "($self, length, /)", effects::CALLS, |vm, a| {
        let d = squeeze(vm, a)?;
        Ok(vm.new_bytes(&d))
    }),
    def(
        "hexdigest",
        "($self, length, /)",
        effects::CALLS,
        |vm, a| {
            let d = squeeze(vm, a)?;
            Ok(hex(vm, &d))
        },
    ),
    def("copy", "($self, /)", effects::ALLOC, copy),
];

static GETSET: [GetSetDef; 3] = [
    getter("_capacity_bits", |_, v| {
        Ok(Value::int_unchecked(
            1600 - hasher(v).block_size() as i64 * 8,
        ))
    }),
    getter("_rate_bits", |_, v| {
        Ok(Value::int_unchecked(hasher(v).block_size() as i64 * 8))
    }),
    getter("_suffix", |vm, v| {
        let suffix = match hasher(v) {
            Hasher::Sha3(k) => k.variant.suffix(),
            _ => 0,
        };
        Ok(vm.new_bytes(&[suffix]))
    }),
];

/// Makes `_sha3`.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_sha3", "", &[]);
    for (i, name) in NAMES.into_iter().enumerate() {
        let methods = if i < 4 { &super::METHODS } else { &SHAKE };
        let t = class(
            vm,
            m,
            &TypeDef {
                module: "_sha3",
                methods,
                getset: &super::GETSET,
                ..TypeDef::of::<Hash>(name, Layout::Library)
            },
        );
        vm.add_methods(t, &NEW[i..=i]);
        vm.add_getset(t, &GETSET);
    }
    let implementation = vm.new_str("generic 64-bit");
    crate::set(vm, m, "implementation", implementation);
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of the empty message, from FIPS 202's example values.
    #[test]
    fn empty_messages_have_the_standards_digests() {
        let d = Keccak::new(Variant::Sha3_256).finish();
        assert_eq!(d[..8], [0xa7, 0xff, 0xc6, 0xf8, 0xbf, 0x1e, 0xd7, 0x66]);
        let d = Keccak::new(Variant::Shake128).squeeze(4);
        assert_eq!(d, [0x7f, 0x9c, 0x2b, 0xa4]);
    }

    #[test]
    fn splitting_the_input_changes_nothing() {
        let data: Vec<u8> = (0..=255).collect();
        let mut one = Keccak::new(Variant::Sha3_512);
        one.update(&data);
        let mut two = Keccak::new(Variant::Sha3_512);
        two.update(&data[..100]);
        two.update(&data[100..]);
        assert_eq!(one.finish(), two.finish());
    }
}
