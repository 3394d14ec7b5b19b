//! `_md5`, `_sha1`, `_sha256`, `_sha512`, `_sha3`, `_blake2`: the hash functions
//! that `hashlib` takes when there is no OpenSSL.
//!
//! All classes share one structure: the running state, a plain Rust value, lies
//! in untyped storage of the collector's heap. It is never dropped: states own
//! no memory, and what their destructors would wipe is no secret here.

pub mod blake2;
pub mod core;
pub mod sha3;

use self::core::Hasher;
use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, Raw};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// Any hash object: `state` holds a [`Hasher`].
    Hash [Library, VALUES] { state: Value }
}

const _: () = assert!(align_of::<Hasher>() <= 16);

/// A hash object's state; the borrow ends before the VM is used again.
pub(crate) fn hasher(v: Value) -> &'static mut Hasher {
    let raw = Gc::<Raw>::from_value(Gc::<Hash>::from_value(v).state.get());
    // SAFETY: `new_hash` put a state there; callers hold the object in a local.
    unsafe { &mut *raw.bytes().cast::<Hasher>() }
}

/// An object of this class with this state.
pub(crate) fn new_hash(vm: &mut Vm, class: Gc<PyType>, state: Hasher) -> Value {
    let raw = vm.new_raw(size_of::<Hasher>());
    // SAFETY: fresh storage of the right size; objects are aligned to 16 bytes and
    // the bytes begin 16 bytes in.
    unsafe { raw.bytes().cast::<Hasher>().write(state) };
    let v = vm.new_instance(class);
    Gc::<Hash>::from_value(v).state.set(raw.value());
    vm.write_barrier(v);
    v
}

/// The bytes to be hashed.
///
/// # Errors
/// TypeError for text and for what has no bytes.
pub(crate) fn input(vm: &mut Vm, v: Value) -> R<&'static [u8]> {
    if vm.is_str(v) {
        return Err(vm.type_error("Strings must be encoded before hashing"));
    }
    match vm.buffer(v) {
        Some(b) => Ok(b),
        None => Err(vm.type_error("object supporting the buffer API required")),
    }
}

pub(crate) fn hex(vm: &mut Vm, digest: &[u8]) -> Value {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let text: Vec<u8> = digest
        .iter()
        .flat_map(|b| [DIGITS[(b >> 4) as usize], DIGITS[(b & 15) as usize]])
        .collect();
    vm.new_str_latin1(&text)
}

/// Methods of every hash object of fixed length.
pub(crate) static METHODS: [NativeDef; 4] = [
    def("update", "($self, obj, /)", effects::CALLS, update),
    def("digest", "($self, /)", effects::ALLOC, |vm, a| {
        let d = hasher(a[0]).finish();
        Ok(vm.new_bytes(&d))
    }),
    def("hexdigest", "($self, /)", effects::ALLOC, |vm, a| {
        let d = hasher(a[0]).finish();
        Ok(hex(vm, &d))
    }),
    def("copy", "($self, /)", effects::ALLOC, copy),
];

pub(crate) fn update(vm: &mut Vm, a: &[Value]) -> R {
    let b = input(vm, a[1])?;
    hasher(a[0]).update(b);
    Ok(vm.none)
}

pub(crate) fn copy(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let state = hasher(a[0]).clone();
    Ok(new_hash(vm, class, state))
}

pub(crate) static GETSET: [GetSetDef; 3] = [
    getter("digest_size", |_, v| {
        Ok(Value::int_unchecked(hasher(v).digest_size() as i64))
    }),
    getter("block_size", |_, v| {
        Ok(Value::int_unchecked(hasher(v).block_size() as i64))
    }),
    getter("name", |vm, v| Ok(vm.new_str(hasher(v).name()))),
];

/// A function of a module: a hash object of a class that the module has.
fn start(vm: &mut Vm, a: &[Value], module: &str, class: &str, state: Hasher) -> R {
    let class = crate::module_attr(vm, module, class);
    let v = new_hash(vm, Gc::from_value(class), state);
    if a[0].is_some() {
        let b = input(vm, a[0])?;
        hasher(v).update(b);
    }
    Ok(v)
}

const SIGNATURE: &str = "(string=b'', *, usedforsecurity=True)";

static MD5: [NativeDef; 1] = [def("md5", SIGNATURE, effects::CALLS, |vm, a| {
    start(vm, a, "_md5", "MD5Type", Hasher::md5())
})];
static SHA1: [NativeDef; 1] = [def("sha1", SIGNATURE, effects::CALLS, |vm, a| {
    start(vm, a, "_sha1", "SHA1Type", Hasher::sha1())
})];
static SHA256: [NativeDef; 2] = [
    def("sha256", SIGNATURE, effects::CALLS, |vm, a| {
        start(vm, a, "_sha256", "SHA256Type", Hasher::sha256())
    }),
    def("sha224", SIGNATURE, effects::CALLS, |vm, a| {
        start(vm, a, "_sha256", "SHA224Type", Hasher::sha224())
    }),
];
static SHA512: [NativeDef; 2] = [
    def("sha512", SIGNATURE, effects::CALLS, |vm, a| {
        start(vm, a, "_sha512", "SHA512Type", Hasher::sha512())
    }),
    def("sha384", SIGNATURE, effects::CALLS, |vm, a| {
        start(vm, a, "_sha512", "SHA384Type", Hasher::sha384())
    }),
];

fn make(vm: &mut Vm, name: &str, functions: &'static [NativeDef], classes: &[(&str, &str)]) -> R {
    let m = module(vm, name, "", functions);
    for &(attribute, class) in classes {
        let t = vm.native_type(&TypeDef {
            module: name,
            methods: &METHODS,
            getset: &GETSET,
            ..TypeDef::of::<Hash>(class, Layout::Library)
        });
        set(vm, m, attribute, t.value());
    }
    Ok(m)
}

/// Makes `_md5`.
pub fn make_md5(vm: &mut Vm) -> R {
    make(vm, "_md5", &MD5, &[("MD5Type", "md5")])
}

/// Makes `_sha1`.
pub fn make_sha1(vm: &mut Vm) -> R {
    make(vm, "_sha1", &SHA1, &[("SHA1Type", "sha1")])
}

/// Makes `_sha256`.
pub fn make_sha256(vm: &mut Vm) -> R {
    let classes = [("SHA224Type", "sha224"), ("SHA256Type", "sha256")];
    make(vm, "_sha256", &SHA256, &classes)
}

/// Makes `_sha512`.
pub fn make_sha512(vm: &mut Vm) -> R {
    let classes = [("SHA384Type", "sha384"), ("SHA512Type", "sha512")];
    make(vm, "_sha512", &SHA512, &classes)
}
