//! The `_random` module: the Mersenne Twister MT19937 of Matsumoto and Nishimura,
//! seeded and read as CPython does, so that sequences are the same.

use crate::{class, module};
use dashu_int::UBig;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, Raw};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `Random`: `state` is a [`Twister`] in untyped storage.
    Random [Library, VALUES] { state: Value }
}

const N: usize = 624;
const M: usize = 397;

/// The generator's state: `index` is the next word to give, `N` if all were given.
#[repr(C)]
struct Twister {
    words: [u32; N],
    index: u32,
}

impl Twister {
    fn next(&mut self) -> u32 {
        if self.index as usize >= N {
            self.refill();
        }
        let mut y = self.words[self.index as usize];
        self.index += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    fn refill(&mut self) {
        for i in 0..N {
            let y = self.words[i] & 0x8000_0000 | self.words[(i + 1) % N] & 0x7fff_ffff;
            let odd = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            self.words[i] = self.words[(i + M) % N] ^ y >> 1 ^ odd;
        }
        self.index = 0;
    }

    fn seed_with_word(&mut self, s: u32) {
        self.words[0] = s;
        for i in 1..N {
            let before = self.words[i - 1];
            self.words[i] = 1_812_433_253u32
                .wrapping_mul(before ^ before >> 30)
                .wrapping_add(i as u32);
        }
        self.index = N as u32;
    }

    /// `key` is not empty.
    fn seed(&mut self, key: &[u32]) {
        self.seed_with_word(19_650_218);
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let before = self.words[i - 1];
            self.words[i] = (self.words[i] ^ (before ^ before >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                self.words[0] = self.words[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 1..N {
            let before = self.words[i - 1];
            self.words[i] = (self.words[i] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                self.words[0] = self.words[N - 1];
                i = 1;
            }
        }
        self.words[0] = 0x8000_0000;
    }
}

/// The state; the borrow ends before the VM is used again.
fn twister(v: Value) -> &'static mut Twister {
    let raw = Gc::<Raw>::from_value(Gc::<Random>::from_value(v).state.get());
    // SAFETY: `new` made the storage large enough; it is zeroed, which is a state,
    // and aligned to 16 bytes. Callers hold the object in a local.
    unsafe { &mut *raw.bytes().cast::<Twister>() }
}

static METHODS: [NativeDef; 6] = [
    new_def("($type, /, *args, **kwargs)", effects::CALLS, new),
    def("random", "($self, /)", effects::WRITES, |_, a| {
        let t = twister(a[0]);
        let (x, y) = (t.next() >> 5, t.next() >> 6);
        Ok(Value::float(
            (f64::from(x) * 67_108_864.0 + f64::from(y)) * (1.0 / 9_007_199_254_740_992.0),
        ))
    }),
    def("seed", "($self, n=None, /)", effects::CALLS, |vm, a| {
        seed(vm, a[0], a[1])?;
        Ok(vm.none)
    }),
    def("getrandbits", "($self, k, /)", effects::CALLS, getrandbits),
    def("getstate", "($self, /)", effects::ALLOC, |vm, a| {
        let out = vm.new_tuple_uninit(N + 1);
        for i in 0..N {
            let w = twister(a[0]).words[i];
            vm.tuple_init(out, i, Value::int_unchecked(w.into()));
        }
        let index = twister(a[0]).index;
        vm.tuple_init(out, N, Value::int_unchecked(index.into()));
        Ok(out)
    }),
    def("setstate", "($self, state, /)", effects::CALLS, setstate),
];

fn new(vm: &mut Vm, a: &[Value]) -> R {
    crate::args::no_keywords(vm, a[0], a[2], "Random")?;
    let given = vm.tuple_items(a[1]);
    if given.len() > 1 {
        return Err(vm.type_error("Random() requires 0 or 1 argument"));
    }
    let v = vm.new_instance(Gc::from_value(a[0]));
    let state = vm.new_raw(size_of::<Twister>());
    Gc::<Random>::from_value(v).state.set(state.value());
    vm.write_barrier(v);
    seed(vm, v, given.first().copied().unwrap_or(Value::NULL))?;
    Ok(v)
}

fn seed(vm: &mut Vm, v: Value, n: Value) -> R<()> {
    if n.is_null() || n == vm.none {
        let mut key = [0u32; N];
        match vm.config.seed {
            Some(s) => {
                // A run with a fixed seed repeats itself.
                key[0] = s as u32;
                key[1] = (s >> 32) as u32;
            }
            None => fill_from_system(&mut key),
        }
        twister(v).seed(&key);
        return Ok(());
    }
    let key = match vm.as_int(n) {
        Some(i) => {
            let i = if vm.layout_of(n) == Layout::IntSub {
                let name = vm.names.abs;
                let r = vm.unary(name, "abs()", n)?;
                vm.as_int(r).unwrap_or(i)
            } else {
                i
            };
            pyrite_objects::int::abs(&vm.int_to_big(i)).into_parts().1
        }
        None => UBig::from(vm.hash(n)? as u64),
    };
    let bytes = key.to_le_bytes();
    let words: Vec<u32> = bytes
        .chunks(4)
        .map(|c| {
            let mut w = [0; 4];
            w[..c.len()].copy_from_slice(c);
            u32::from_le_bytes(w)
        })
        .collect();
    twister(v).seed(if words.is_empty() { &[0] } else { &words });
    Ok(())
}

fn fill_from_system(key: &mut [u32]) {
    let n = size_of_val(key);
    // SAFETY: the buffer is `n` bytes.
    let got = unsafe { libc::getrandom(key.as_mut_ptr().cast(), n, 0) };
    if got != n as isize {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64);
        key[0] = now as u32;
        key[1] = (now >> 32) as u32;
        key[2] = std::process::id();
    }
}

fn getrandbits(vm: &mut Vm, a: &[Value]) -> R {
    let k = vm.index(a[1])?;
    let k = match vm.int_to_i64(k) {
        Some(k) if i32::try_from(k).is_ok() => k,
        _ => return Err(vm.overflow_error("Python int too large to convert to C int")),
    };
    if k < 0 {
        return Err(vm.value_error("number of bits must be non-negative"));
    }
    if k == 0 {
        return Ok(Value::small(0));
    }
    if k <= 32 {
        let r = twister(a[0]).next() >> (32 - k);
        return Ok(Value::int_unchecked(r.into()));
    }
    let mut left = k as usize;
    let mut bytes = Vec::with_capacity(left / 8 + 4);
    while left > 0 {
        let mut r = twister(a[0]).next();
        if left < 32 {
            r >>= 32 - left;
        }
        bytes.extend_from_slice(&r.to_le_bytes());
        left -= left.min(32);
    }
    Ok(vm.new_big(&UBig::from_le_bytes(&bytes).into()))
}

fn setstate(vm: &mut Vm, a: &[Value]) -> R {
    let Some(t) = vm.as_tuple(a[1]) else {
        return Err(vm.type_error("state vector must be a tuple"));
    };
    if vm.tuple_len(t) != N + 1 {
        return Err(vm.value_error("state vector is the wrong size"));
    }
    let mut words = [0u32; N];
    for (i, &v) in vm.tuple_items(t).iter().enumerate() {
        if !vm.is_int(v) {
            return Err(vm.type_error("an integer is required"));
        }
        let n = vm.int_to_i64(v);
        if i < N {
            match n {
                Some(n) if n >= 0 => words[i] = n as u32,
                Some(_) => {
                    let m = "can't convert negative value to unsigned int";
                    return Err(vm.overflow_error(m));
                }
                None => {
                    let m = "Python int too large to convert to C unsigned long";
                    return Err(vm.overflow_error(m));
                }
            }
        } else {
            match n {
                Some(n) if (0..=N as i64).contains(&n) => {
                    let t = twister(a[0]);
                    t.words = words;
                    t.index = n as u32;
                }
                _ => return Err(vm.value_error("invalid state")),
            }
        }
    }
    Ok(vm.none)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "Module implements the Mersenne Twister random number generator.";
    let m = module(vm, "_random", doc, &[]);
    class(
        vm,
        m,
        &TypeDef {
            module: "_random",
            base_type: true,
            methods: &METHODS,
            ..TypeDef::of::<Random>("Random", Layout::Library)
        },
    );
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs of the authors' reference program for the key 0x123, 0x234, 0x345, 0x456.
    #[test]
    fn the_sequence_is_that_of_the_reference_program() {
        let mut t = Twister {
            words: [0; N],
            index: 0,
        };
        t.seed(&[0x123, 0x234, 0x345, 0x456]);
        let got: Vec<u32> = (0..5).map(|_| t.next()).collect();
        let want = [
            1_067_595_299,
            955_945_823,
            477_289_528,
            4_107_218_783,
            4_228_976_476,
        ];
        assert_eq!(got, want);
    }
}
