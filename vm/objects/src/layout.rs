//! Memory layouts of the core objects.
//!
//! Every object is a header word, the payload words of its native layout, and,
//! unless its class has no attributes, one overflow word followed by inline
//! attribute slots. `class L(list)` with one attribute reads
//! `[header][len][items][overflow][slot 0]...`. A subclass of an immutable value
//! type (`class I(int)`) is a plain instance whose only payload word is the
//! value itself.
//!
//! Two small numbers describe an object: its *kind* (in the header) tells the
//! collector which words are references; its *layout* (in the shape, inherited
//! by subclasses) tells Rust code which of the structures below it is.

use pyrite_gc::{KindInfo, Tracer};
use pyrite_machine::{Header, Kind, Value};
use std::marker::PhantomData;
use std::ops::Deref;

/// A typed pointer to a heap object. `Copy`; may be held in locals freely, since
/// the native stack pins what it names, and nowhere else.
#[repr(transparent)]
pub struct Gc<T>(*mut T, PhantomData<*mut ()>);

impl<T> Clone for Gc<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Gc<T> {}
impl<T> PartialEq for Gc<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Gc<T> {}

impl<T> Gc<T> {
    /// The pointer as a value word.
    #[inline(always)]
    pub fn value(self) -> Value {
        Value::from_ptr(self.0)
    }

    /// A value known to have this layout, as a typed pointer.
    #[inline(always)]
    pub fn from_value(v: Value) -> Gc<T> {
        debug_assert!(v.is_ptr());
        Gc(v.ptr().cast(), PhantomData)
    }

    /// A typed pointer from a raw one.
    #[inline(always)]
    pub const fn from_raw(p: *mut T) -> Gc<T> {
        Gc(p, PhantomData)
    }

    /// The raw pointer.
    #[inline(always)]
    pub fn raw(self) -> *mut T {
        self.0
    }
}

impl<T> Deref for Gc<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a Gc is made from a live object of this layout only, all whose
        // fields are cells; the stack slot that holds the Gc keeps it in place.
        unsafe { &*self.0 }
    }
}

/// Kinds: what the collector needs to know.
pub mod kind {
    use pyrite_machine::Kind;
    /// Padding between objects; the collector's own.
    pub const FILLER: Kind = 0;
    /// All words behind the header are values.
    pub const VALUES: Kind = 1;
    /// One raw word (a length), then values: arrays and tuples.
    pub const ARRAY: Kind = 2;
    /// No references: `len` bytes follow the length word (tables, buffers).
    pub const RAW: Kind = 3;
    /// Two raw words, then values.
    pub const RAW2: Kind = 4;
    /// Three raw words, then values.
    pub const RAW3: Kind = 5;
    /// Four raw words, then values.
    pub const RAW4: Kind = 6;
    /// Code: raw pointer to the VM's data, whose constants and caches are traced.
    pub const CODE: Kind = 7;
    /// Weak reference: the first word is the referent, not traced.
    pub const WEAKREF: Kind = 8;
    /// One raw word, then values, with a native destructor.
    pub const NATIVE_DROP: Kind = 9;
    /// Generator: traced as values, its saved registers in an array.
    pub const GENERATOR: Kind = 10;
    /// Text.
    pub const STR: Kind = 11;
    /// Bytes.
    pub const BYTES: Kind = 12;
    /// Big integer.
    pub const BIGINT: Kind = 13;
    /// How many kinds there are.
    pub const COUNT: usize = 14;
}

/// Layouts: which Rust structure an object is. Inherited by subclasses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Layout {
    Object = 0,
    Type,
    Int,
    IntSub,
    Bool,
    Float,
    FloatSub,
    Complex,
    ComplexSub,
    Str,
    StrSub,
    Bytes,
    BytesSub,
    Tuple,
    TupleSub,
    List,
    Dict,
    Set,
    FrozenSet,
    Function,
    Native,
    Method,
    Code,
    Cell,
    Module,
    Generator,
    Coroutine,
    AsyncGenerator,
    Exception,
    Frame,
    Traceback,
    Range,
    RangeIter,
    SeqIter,
    ListIter,
    TupleIter,
    StrIter,
    DictIter,
    DictView,
    SetIter,
    CallIter,
    Slice,
    Property,
    StaticMethod,
    ClassMethod,
    Super,
    NoneType,
    EllipsisType,
    NotImplementedType,
    ByteArray,
    MemoryView,
    WeakRef,
    Enumerate,
    Zip,
    Map,
    Filter,
    Reversed,
    MappingProxy,
    GetSet,
    Member,
    Namespace,
    GenericAlias,
    Union,
    Awaitable,
    ListReverseIter,
    DictReverseIter,
    LongRangeIter,
    /// Layouts of library modules start here; each module numbers its own.
    Library,
}

/// Words of a `str` in front of its text.
pub const STR_WORDS: usize = size_of::<PyStr>() / 8;
/// Words of a `bytes` in front of its content.
pub const BYTES_WORDS: usize = size_of::<PyBytes>() / 8;
/// Slots of a [`Layout::Object`] start at this word.
pub const OBJECT_SLOT_BASE: usize = 2;

/// Declares the structure of a native object, header included, whose fields are
/// cells: the raw words its kind announces first, then values. A library module
/// says `object_layout! { PyDeque [Library, RAW2] { len: usize, ... } }`, makes the class
/// with `TypeDef::of::<PyDeque>(name, Layout::Library)` and reads an instance as
/// `Gc::<PyDeque>::from_value(v)`; a fresh one is all zeros (fields that are
/// values are null). Who stores a value into an object that may be old calls
/// [`Vm::write_barrier`](crate::vm::Vm::write_barrier).
#[macro_export]
macro_rules! object_layout {
    ($(#[$doc:meta])* $name:ident [$layout:ident, $kind:ident] { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $name { pub header: std::cell::Cell<u64>, $($(#[$fdoc])* pub $field: std::cell::Cell<$ty>),* }
        impl $crate::layout::NativeLayout for $name {
            const LAYOUT: $crate::layout::Layout = $crate::layout::Layout::$layout;
            const KIND: $crate::Kind = $crate::layout::kind::$kind;
            const WORDS: usize = size_of::<$name>() / 8;
        }
    };
}

/// A structure of fixed size that an object may be.
pub trait NativeLayout {
    const LAYOUT: Layout;
    const KIND: Kind;
    /// Words, header included, overflow word not.
    const WORDS: usize;
}

object_layout! {
    /// Shared growable storage: `len` words, all values.
    Array [Object, ARRAY] { cap: usize }
}
object_layout! {
    /// Untyped storage: `len` bytes follow.
    Raw [Object, RAW] { len: usize }
}
object_layout! {
    /// `list`: the first `len` words of `items` are the elements; `items` is null while empty.
    PyList [List, RAW2] { len: usize, _pad: usize, items: Value }
}
object_layout! {
    /// `tuple`: `len` values follow.
    PyTuple [Tuple, ARRAY] { len: usize }
}
object_layout! {
    /// `dict`, insertion-ordered; see `dict.rs`.
    PyDict [Dict, RAW3] {
        /// Live entries.
        used: usize,
        /// Entries in use, deleted ones included (low 32 bits), keys version (high 32; 0: none given out).
        fill: u32,
        keys_version: u32,
        /// Bit 0: watched by compiled code; bit 1: a class's namespace.
        flags: u32,
        mask: u32,
        /// Array of (hash, key, value) triples.
        entries: Value,
        /// Raw table of 32-bit entry numbers, null while there are at most 8 entries.
        index: Value,
    }
}
object_layout! {
    /// `set` and `frozenset`: a dict without values.
    PySet [Set, RAW2] {
        hash: u64,
        /// The dict's fill and 1 when it was last put in order; see `set_order.rs`.
        ordered: u64,
        dict: Value,
    }
}
object_layout! {
    /// `str`: `len` code points of `width` bytes each follow.
    PyStr [Str, STR] {
        len: usize,
        /// 1, 2 or 4.
        width: u8,
        interned: bool,
        /// 0 until asked for.
        hash: u64,
    }
}
object_layout! {
    /// `bytes`: `len` bytes follow.
    PyBytes [Bytes, BYTES] { len: usize, hash: u64 }
}
object_layout! {
    /// An `int` beyond 50 bits: sign in `neg`, `len` 64-bit limbs follow, least significant first.
    PyBigInt [Int, BIGINT] { len: u32, neg: u32 }
}
object_layout! {
    /// `complex`
    PyComplex [Complex, RAW] { re: f64, im: f64 }
}
object_layout! {
    /// An immutable value type's subclass instance.
    PyValueSub [IntSub, VALUES] { inner: Value }
}
object_layout! {
    /// A class.
    PyType [Type, RAW4] {
        data: *mut crate::types::TypeData,
        _raw1: u64, _raw2: u64, _raw3: u64,
        name: Value,
        qualname: Value,
        bases: Value,
        mro: Value,
        dict: Value,
        module: Value,
    }
}
object_layout! {
    /// A Python function.
    PyFunction [Function, RAW2] {
        code_data: *mut crate::code::CodeData,
        version: u64,
        code: Value,
        globals: Value,
        defaults: Value,
        kwdefaults: Value,
        closure: Value,
        name: Value,
        qualname: Value,
        doc: Value,
        module: Value,
        annotations: Value,
    }
}
object_layout! {
    /// A function written in Rust.
    PyNative [Native, RAW2] {
        def: *const crate::native::NativeDef,
        /// Its parsed signature, or null; see [`crate::native`].
        parsed: *const crate::native::Signature,
        /// Bound receiver (a module or an instance) or null.
        this: Value,
        /// Class that defines it, or null.
        owner: Value,
        module: Value,
    }
}
object_layout! {
    /// A bound method.
    PyMethod [Method, VALUES] { func: Value, this: Value }
}
object_layout! {
    /// Loaded code.
    PyCode [Code, CODE] { data: *mut crate::code::CodeData }
}
object_layout! {
    /// A variable shared with closures; null when empty.
    PyCell [Cell, VALUES] { content: Value }
}
object_layout! {
    /// A module.
    PyModule [Module, VALUES] { dict: Value }
}
object_layout! {
    /// A generator, coroutine or async generator; see `generator.rs`.
    PyGenerator [Generator, RAW2] {
        /// Where it goes on: pointer to the next instruction.
        pc: u64,
        /// State and flags; see `generator.rs`.
        state: u64,
        func: Value,
        /// Saved registers.
        regs: Value,
        name: Value,
        qualname: Value,
        /// Exception handled inside it while suspended.
        handled: Value,
        frame: Value,
        /// What `yield from` / `await` delegates to, or null.
        delegate: Value,
        /// Origin, async-generator hooks and the like.
        extra: Value,
    }
}
object_layout! {
    /// Any exception.
    PyException [Exception, VALUES] {
        args: Value,
        traceback: Value,
        context: Value,
        cause: Value,
        /// Integer: 1 if `__suppress_context__`.
        suppress: Value,
        notes: Value,
    }
}
object_layout! {
    /// A frame object; while the frame runs, `window` points to its registers.
    PyFrame [Frame, RAW2] {
        /// Address of register 0 while the frame is live, else 0.
        window: u64,
        /// Instruction index last executed (when not live).
        lasti: u64,
        func: Value,
        back: Value,
        /// Registers, copied when the frame ends.
        regs: Value,
        /// Mapping handed out by f_locals.
        locals: Value,
        trace: Value,
        generator: Value,
        /// The code's globals.
        globals: Value,
        /// While traced: line and instruction of the last event.
        line: Value,
        /// What is not traced as usual: bits of an int, or null for none.
        trace_flags: Value,
    }
}
object_layout! {
    /// A traceback entry.
    PyTraceback [Traceback, VALUES] { next: Value, frame: Value, lasti: Value, line: Value }
}
object_layout! {
    /// `range`; the three values are ints of any size.
    PyRange [Range, VALUES] { start: Value, stop: Value, step: Value, length: Value }
}
object_layout! {
    /// Iterator over a range whose numbers fit 50 bits.
    PyRangeIter [RangeIter, RAW3] { next: i64, remaining: i64, step: i64 }
}
object_layout! {
    /// Iterator over a list, tuple, str, bytes...: `seq` is null once exhausted.
    PySeqIter [SeqIter, RAW2] { index: usize, _pad: usize, seq: Value }
}
object_layout! {
    /// Iterator over a dict's keys (0), values (1) or items (2); `len` detects mutation.
    PyDictIter [DictIter, RAW3] { index: usize, len: usize, what: u64, dict: Value }
}
object_layout! {
    /// `dict_keys` (0), `dict_values` (1), `dict_items` (2)
    PyDictView [DictView, RAW2] { what: u64, _pad: u64, dict: Value }
}
object_layout! {
    /// `iter(callable, sentinel)`
    PyCallIter [CallIter, VALUES] { callable: Value, sentinel: Value }
}
object_layout! {
    /// `slice`
    PySlice [Slice, VALUES] { start: Value, stop: Value, step: Value }
}
object_layout! {
    /// `property`
    PyProperty [Property, VALUES] {
        fget: Value,
        fset: Value,
        fdel: Value,
        doc: Value,
        name: Value,
        /// 1 if the docstring is the getter's.
        doc_of_getter: Value,
    }
}
object_layout! {
    /// `staticmethod` and `classmethod`
    PyWrapped [StaticMethod, VALUES] { func: Value }
}
object_layout! {
    /// `super`
    PySuper [Super, VALUES] { class: Value, this: Value, this_class: Value }
}
object_layout! {
    /// `bytearray`
    PyByteArray [ByteArray, RAW2] { len: usize, exports: usize, data: Value }
}
object_layout! {
    /// `memoryview`: `nbytes` bytes of `obj`; see `memoryview.rs`.
    PyMemoryView [MemoryView, RAW4] {
        /// Byte distance of the first item from the exporter's first byte.
        offset: usize,
        nbytes: usize,
        itemsize: usize,
        flags: u64,
        obj: Value,
        /// A bytearray's storage when the view was made.
        storage: Value,
        format: Value,
        shape: Value,
        strides: Value,
        hash: Value,
    }
}
object_layout! {
    /// `weakref.ref` and proxies: `referent` is cleared by the collector.
    PyWeakRef [WeakRef, WEAKREF] { referent: Value, callback: Value, hash: Value, extra: Value }
}
object_layout! {
    /// A getter and setter in Rust.
    PyGetSet [GetSet, RAW2] {
        get: crate::native::Getter,
        set: Option<crate::native::Setter>,
        name: Value,
        owner: Value,
        doc: Value,
    }
}
object_layout! {
    /// Member of `__slots__` or of a native structure: word `offset` of the instance.
    PyMember [Member, RAW2] { offset: usize, readonly: usize, name: Value, owner: Value }
}
impl PyMember {
    /// Value of `readonly` for a member that cannot be written and is None while it is null.
    pub const READONLY_OR_NONE: usize = 2;
}

/// Traces every word behind the header and `RAW` raw words.
///
/// # Safety
/// `obj` is a live object whose header tells its size (or an array whose first
/// word does).
unsafe fn trace_after<const RAW: usize>(obj: *mut u64, t: &mut Tracer) {
    // SAFETY: the caller hands over a live object; its words are all within it.
    unsafe {
        let words = object_words(obj);
        for i in 1 + RAW..words {
            t.edge(obj.add(i).cast());
        }
    }
}

/// Size in words of a live object.
///
/// # Safety
/// `obj` points to a live object.
pub unsafe fn object_words(obj: *const u64) -> usize {
    // SAFETY: see above.
    unsafe {
        let h = *obj;
        let g = Header::granules(h);
        if g != 0 { g * 2 } else { big_words(obj) }
    }
}

/// # Safety
/// `obj` is a live object whose header has no room for its size.
unsafe fn big_words(obj: *const u64) -> usize {
    // SAFETY: only the five kinds of variable size grow that large, and each
    // has its element count behind the header.
    unsafe {
        let len = *obj.add(1) as usize;
        match Header::kind(*obj) {
            kind::ARRAY => 2 + len,
            kind::STR => {
                STR_WORDS + (len * (*obj.cast::<PyStr>()).width.get() as usize).div_ceil(8)
            }
            kind::BYTES => BYTES_WORDS + len.div_ceil(8),
            kind::BIGINT => 2 + (len & 0xFFFF_FFFF),
            _ => 2 + len.div_ceil(8),
        }
    }
}

/// # Safety
/// As for any size function: a live object.
unsafe fn size_bytes(obj: *const u64) -> usize {
    // SAFETY: passed on.
    unsafe { object_words(obj) * 8 }
}

/// # Safety
/// `obj` is a live code object.
unsafe fn trace_code(obj: *mut u64, t: &mut Tracer) {
    // SAFETY: word 1 of a code object is its data pointer (or 0 while it is made).
    unsafe {
        let data = *obj.add(1) as *mut crate::code::CodeData;
        if !data.is_null() {
            (*data).trace(t);
        }
    }
    // SAFETY: as above.
    unsafe { trace_after::<1>(obj, t) }
}

/// Traces the words of an array that lie in `lo..hi`.
///
/// # Safety
/// `obj` is a live array.
unsafe fn trace_array_range(obj: *mut u64, lo: *mut u64, hi: *mut u64, t: &mut Tracer) {
    // SAFETY: the range is cut to the array's elements.
    unsafe {
        let lo = lo.max(obj.add(2));
        let hi = hi.min(obj.add(object_words(obj)));
        t.range(lo.cast(), hi.cast());
    }
}

const fn sized(k: KindInfo) -> KindInfo {
    KindInfo {
        size: Some(size_bytes),
        ..k
    }
}

/// The collector's table.
pub static KINDS: [KindInfo; kind::COUNT] = [
    KindInfo::leaf("filler"),
    KindInfo::traced("values", trace_after::<0>),
    KindInfo {
        trace_range: Some(trace_array_range),
        ..sized(KindInfo::traced("array", trace_after::<1>))
    },
    sized(KindInfo::leaf("raw")),
    KindInfo::traced("raw2", trace_after::<2>),
    KindInfo::traced("raw3", trace_after::<3>),
    KindInfo::traced("raw4", trace_after::<4>),
    KindInfo::traced("code", trace_code),
    KindInfo::traced("weakref", trace_after::<1>),
    KindInfo::traced("native", trace_after::<1>),
    KindInfo::traced("generator", trace_after::<2>),
    sized(KindInfo::leaf("str")),
    sized(KindInfo::leaf("bytes")),
    sized(KindInfo::leaf("bigint")),
];
