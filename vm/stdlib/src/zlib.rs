//! The `zlib` module, over zlib-rs by its C interface: only that one lets a
//! stream be copied, be given a dictionary and be told its window's size.
//!
//! A stream's state lives outside the collected heap, in a box that its object
//! points to and that `__del__` frees if nothing did before.

use crate::{args, binascii, fs, module, set, slots};
use libz_rs_sys as z;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Raised, Vm};
use std::mem::MaybeUninit;

const ANY: u8 = effects::ANY;
const MAX_WBITS: i32 = 15;
const DEF_MEM_LEVEL: i32 = 8;
const DEF_BUF_SIZE: i64 = 16384;
/// Output made room for at a time.
const CHUNK: usize = 32 << 10;

object_layout! {
    /// `Compress` or `Decompress`; `stream` is null once ended.
    Stream [Library, RAW2] {
        stream: *mut z::z_stream,
        /// The stream's end was seen.
        eof: bool,
        /// Bytes behind the end of the compressed data.
        unused_data: Value,
        /// Bytes not read for want of room.
        unconsumed_tail: Value,
        /// Dictionary that the data may ask for, or null.
        zdict: Value,
    }
}

static FUNCTIONS: &[NativeDef] = &[
    def("adler32", "(data, value=1, /)", ANY, |vm, a| {
        let start = if a[1].is_null() {
            1
        } else {
            binascii::mask(vm, a[1])?
        };
        let b = args::readable(vm, a[0])?;
        Ok(Value::int_unchecked(adler32(start, b).into()))
    })
    .doc("Compute an Adler-32 checksum of data."),
    def("crc32", "(data, value=0, /)", ANY, binascii::crc32)
        .doc("Compute a CRC-32 checksum of data."),
    def(
        "compress",
        "(data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)",
        ANY,
        compress,
    )
    .doc("Returns a bytes object containing compressed data."),
    def(
        "decompress",
        "(data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)",
        ANY,
        decompress,
    )
    .doc("Returns a bytes object containing the uncompressed data."),
    def(
        "compressobj",
        "(level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=None)",
        ANY,
        compressobj,
    )
    .doc("Return a compressor object."),
    def(
        "decompressobj",
        "(wbits=MAX_WBITS, zdict=b'')",
        ANY,
        decompressobj,
    )
    .doc("Return a decompressor object."),
];

static COMPRESS: &[NativeDef] = &[
    def("compress", "($self, data, /)", ANY, |vm, a| {
        let b = args::readable(vm, a[1])?.to_vec();
        let s = live(vm, a[0], "while compressing data")?;
        let out = deflate(vm, s, &b, z::Z_NO_FLUSH, "while compressing data")?.0;
        Ok(vm.new_bytes(&out))
    }),
    def("flush", "($self, mode=zlib.Z_FINISH, /)", ANY, |vm, a| {
        let mode = fs::c_int_or(vm, a[1], z::Z_FINISH)?;
        if mode == z::Z_NO_FLUSH {
            return Ok(vm.empty_bytes);
        }
        let s = live(vm, a[0], "while flushing")?;
        let (out, end) = deflate(vm, s, &[], mode, "while flushing")?;
        if end && mode == z::Z_FINISH {
            end_deflate(a[0]);
        }
        Ok(vm.new_bytes(&out))
    }),
    def("copy", "($self, /)", ANY, copy_deflate),
    def("__copy__", "($self, /)", ANY, copy_deflate),
    def("__deepcopy__", "($self, memo, /)", ANY, copy_deflate),
    def("__del__", "($self, /)", ANY, |vm, a| {
        end_deflate(a[0]);
        Ok(vm.none)
    }),
];

static DECOMPRESS: &[NativeDef] = &[
    def(
        "decompress",
        "($self, data, /, max_length=0)",
        ANY,
        obj_decompress,
    ),
    def(
        "flush",
        "($self, length=zlib.DEF_BUF_SIZE, /)",
        ANY,
        obj_flush,
    ),
    def("copy", "($self, /)", ANY, copy_inflate),
    def("__copy__", "($self, /)", ANY, copy_inflate),
    def("__deepcopy__", "($self, memo, /)", ANY, copy_inflate),
    def("__del__", "($self, /)", ANY, |vm, a| {
        end_inflate(a[0]);
        Ok(vm.none)
    }),
];

static FIELDS: &[GetSetDef] = &[
    getter("unused_data", |_, v| Ok(of(v).unused_data.get())),
    getter("unconsumed_tail", |_, v| Ok(of(v).unconsumed_tail.get())),
    getter("eof", |vm, v| Ok(vm.bool(of(v).eof.get()))),
];

fn of(v: Value) -> Gc<Stream> {
    Gc::from_value(v)
}

fn adler32(start: u32, b: &[u8]) -> u32 {
    const BASE: u32 = 65521;
    let (mut s, mut t) = (start & 0xFFFF, start >> 16);
    // 5552 is the most additions that cannot overflow.
    for part in b.chunks(5552) {
        for &c in part {
            s += u32::from(c);
            t += s;
        }
        s %= BASE;
        t %= BASE;
    }
    t << 16 | s
}

/// Raises `zlib.error` for a result code.
fn error(vm: &mut Vm, s: *const z::z_stream, code: i32, what: &str) -> Raised {
    let text = match code {
        z::Z_BUF_ERROR => Some("incomplete or truncated stream".to_owned()),
        // SAFETY: a stream, or null; its message is null or a C string.
        _ => unsafe {
            if s.is_null() || (*s).msg.is_null() {
                match code {
                    z::Z_STREAM_ERROR => Some("inconsistent stream state".to_owned()),
                    z::Z_DATA_ERROR => Some("invalid input data".to_owned()),
                    _ => None,
                }
            } else {
                let m = std::ffi::CStr::from_ptr((*s).msg);
                Some(m.to_string_lossy().into_owned())
            }
        },
    };
    let m = match text {
        Some(t) => format!("Error {code} {what}: {t}"),
        None => format!("Error {code} {what}"),
    };
    plain_error(vm, &m)
}

fn plain_error(vm: &mut Vm, m: &str) -> Raised {
    let class = Gc::from_value(vm.statics[slots::ZLIB_ERROR]);
    vm.raise_str(class, m)
}

fn no_memory(vm: &mut Vm) -> Raised {
    let class = vm.types.memory_error;
    vm.raise_args(class, &[])
}

fn new_stream() -> *mut z::z_stream {
    // SAFETY: zlib's own rule: a fresh stream is all zeros (no allocator given).
    let s: z::z_stream = unsafe { MaybeUninit::zeroed().assume_init() };
    Box::into_raw(Box::new(s))
}

fn free_stream(s: *mut z::z_stream) {
    // SAFETY: made by `new_stream`, and the caller gives it up.
    drop(unsafe { Box::from_raw(s) });
}

fn start_deflate(
    level: i32,
    method: i32,
    wbits: i32,
    mem_level: i32,
    strategy: i32,
) -> Result<*mut z::z_stream, i32> {
    let s = new_stream();
    // SAFETY: a fresh stream; the version and size are this library's.
    let r = unsafe {
        z::deflateInit2_(
            s,
            level,
            method,
            wbits,
            mem_level,
            strategy,
            z::zlibVersion(),
            size_of::<z::z_stream>() as i32,
        )
    };
    if r != z::Z_OK {
        free_stream(s);
        return Err(r);
    }
    Ok(s)
}

fn start_inflate(wbits: i32) -> Result<*mut z::z_stream, i32> {
    let s = new_stream();
    // SAFETY: as above.
    let r =
        unsafe { z::inflateInit2_(s, wbits, z::zlibVersion(), size_of::<z::z_stream>() as i32) };
    if r != z::Z_OK {
        free_stream(s);
        return Err(r);
    }
    Ok(s)
}

fn end_deflate(v: Value) {
    let s = of(v).stream.replace(std::ptr::null_mut());
    if !s.is_null() {
        // SAFETY: a live stream, given up here.
        unsafe { z::deflateEnd(s) };
        free_stream(s);
    }
}

fn end_inflate(v: Value) {
    let s = of(v).stream.replace(std::ptr::null_mut());
    if !s.is_null() {
        // SAFETY: a live stream, given up here.
        unsafe { z::inflateEnd(s) };
        free_stream(s);
    }
}

fn live(vm: &mut Vm, v: Value, what: &str) -> R<*mut z::z_stream> {
    let s = of(v).stream.get();
    if s.is_null() {
        return Err(error(vm, s, z::Z_STREAM_ERROR, what));
    }
    Ok(s)
}

/// Feeds `input` to a compressor; its output, and whether the stream ended.
fn deflate(
    vm: &mut Vm,
    s: *mut z::z_stream,
    input: &[u8],
    flush: i32,
    what: &str,
) -> R<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let mut input = input;
    loop {
        // zlib counts in 32 bits.
        let part = &input[..input.len().min(1 << 30)];
        input = &input[part.len()..];
        let last = input.is_empty();
        let mode = if last { flush } else { z::Z_NO_FLUSH };
        // SAFETY: a live stream; the input outlives the calls, the room is the
        // vector's spare capacity.
        let code = unsafe {
            (*s).next_in = part.as_ptr().cast_mut();
            (*s).avail_in = part.len() as u32;
            loop {
                out.reserve(CHUNK);
                let room = out.spare_capacity_mut();
                let n = room.len().min(1 << 30);
                (*s).next_out = room.as_mut_ptr().cast();
                (*s).avail_out = n as u32;
                let code = z::deflate(s, mode);
                out.set_len(out.len() + n - (*s).avail_out as usize);
                if code == z::Z_STREAM_ERROR || (*s).avail_out != 0 {
                    break code;
                }
            }
        };
        if code == z::Z_STREAM_ERROR {
            return Err(error(vm, s, code, what));
        }
        if last {
            if !matches!(code, z::Z_OK | z::Z_BUF_ERROR | z::Z_STREAM_END) {
                return Err(error(vm, s, code, what));
            }
            return Ok((out, code == z::Z_STREAM_END));
        }
    }
}

fn compress(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[0])?.to_vec();
    let level = fs::c_int_or(vm, a[1], z::Z_DEFAULT_COMPRESSION)?;
    let wbits = fs::c_int_or(vm, a[2], MAX_WBITS)?;
    let s = match start_deflate(level, z::Z_DEFLATED, wbits, DEF_MEM_LEVEL, 0) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return Err(no_memory(vm)),
        Err(z::Z_STREAM_ERROR) => return Err(plain_error(vm, "Bad compression level")),
        Err(code) => return Err(error(vm, std::ptr::null(), code, "while compressing data")),
    };
    let r = deflate(vm, s, &b, z::Z_FINISH, "while compressing data");
    // SAFETY: the stream made above.
    unsafe { z::deflateEnd(s) };
    free_stream(s);
    let out = r?.0;
    Ok(vm.new_bytes(&out))
}

/// Feeds `input` to a decompressor, up to `max` bytes of output; the output, the
/// last result and how much input was left.
fn inflate(
    vm: &mut Vm,
    s: *mut z::z_stream,
    input: &[u8],
    zdict: Value,
    max: usize,
    finish: bool,
) -> R<(Vec<u8>, i32, usize)> {
    let what = "while decompressing data";
    let mut out: Vec<u8> = Vec::new();
    let mut left = input;
    loop {
        let part = &left[..left.len().min(1 << 30)];
        left = &left[part.len()..];
        let mode = if finish && left.is_empty() {
            z::Z_FINISH
        } else {
            z::Z_SYNC_FLUSH
        };
        // SAFETY: as in `deflate`.
        let (code, rest) = unsafe {
            (*s).next_in = part.as_ptr().cast_mut();
            (*s).avail_in = part.len() as u32;
            let code = loop {
                let n = CHUNK.min(max - out.len());
                out.reserve(n.max(1));
                (*s).next_out = out.spare_capacity_mut().as_mut_ptr().cast();
                (*s).avail_out = n as u32;
                let code = z::inflate(s, mode);
                out.set_len(out.len() + n - (*s).avail_out as usize);
                match code {
                    z::Z_OK | z::Z_BUF_ERROR | z::Z_STREAM_END => {}
                    z::Z_NEED_DICT if zdict.is_some() => {
                        let d = args::readable(vm, zdict)?;
                        let r = z::inflateSetDictionary(s, d.as_ptr(), d.len() as u32);
                        if r != z::Z_OK {
                            return Err(error(vm, s, r, "while setting zdict"));
                        }
                        continue;
                    }
                    z::Z_MEM_ERROR => return Err(no_memory(vm)),
                    code => return Err(error(vm, s, code, what)),
                }
                if code == z::Z_STREAM_END || (*s).avail_out != 0 || out.len() >= max {
                    break code;
                }
            };
            (code, (*s).avail_in as usize)
        };
        if code == z::Z_STREAM_END || left.is_empty() || out.len() >= max {
            return Ok((out, code, rest + left.len()));
        }
    }
}

fn decompress(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[0])?.to_vec();
    let wbits = fs::c_int_or(vm, a[1], MAX_WBITS)?;
    if a[2].is_some() {
        let n = args::ssize(vm, a[2])?;
        if n < 0 {
            return Err(vm.value_error("bufsize must be non-negative"));
        }
    }
    let s = match start_inflate(wbits) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return Err(no_memory(vm)),
        Err(code) => {
            return Err(error(
                vm,
                std::ptr::null(),
                code,
                "while preparing to decompress data",
            ));
        }
    };
    let r = inflate(vm, s, &b, Value::NULL, usize::MAX, true);
    let r = match r {
        Ok((out, z::Z_STREAM_END, _)) => Ok(out),
        Ok((_, code, _)) => {
            let code = if code == z::Z_OK {
                z::Z_BUF_ERROR
            } else {
                code
            };
            Err(error(vm, s, code, "while decompressing data"))
        }
        Err(e) => Err(e),
    };
    // SAFETY: the stream made above.
    unsafe { z::inflateEnd(s) };
    free_stream(s);
    let out = r?;
    Ok(vm.new_bytes(&out))
}

/// The content of a whole zlib stream; `None` if it is not one.
pub fn inflate_all(data: &[u8]) -> Option<Vec<u8>> {
    let s = start_inflate(MAX_WBITS).ok()?;
    let mut out: Vec<u8> = Vec::with_capacity(data.len() * 8);
    // SAFETY: a live stream, the input and the vector's spare room.
    let code = unsafe {
        (*s).next_in = data.as_ptr().cast_mut();
        (*s).avail_in = data.len() as u32;
        loop {
            out.reserve(CHUNK);
            let room = out.capacity() - out.len();
            (*s).next_out = out.as_mut_ptr().add(out.len());
            (*s).avail_out = room as u32;
            let code = z::inflate(s, z::Z_NO_FLUSH);
            out.set_len(out.len() + room - (*s).avail_out as usize);
            if code != z::Z_OK {
                break code;
            }
        }
    };
    // SAFETY: the stream made above.
    unsafe { z::inflateEnd(s) };
    free_stream(s);
    (code == z::Z_STREAM_END).then_some(out)
}

/// An object for a stream.
fn wrap(vm: &mut Vm, slot: usize, s: *mut z::z_stream, zdict: Value) -> Value {
    let v = vm.new_instance(Gc::from_value(vm.statics[slot]));
    let empty = vm.empty_bytes;
    let o = of(v);
    o.stream.set(s);
    o.unused_data.set(empty);
    o.unconsumed_tail.set(empty);
    o.zdict.set(zdict);
    vm.write_barrier(v);
    v
}

fn compressobj(vm: &mut Vm, a: &[Value]) -> R {
    let level = fs::c_int_or(vm, a[0], z::Z_DEFAULT_COMPRESSION)?;
    let method = fs::c_int_or(vm, a[1], z::Z_DEFLATED)?;
    let wbits = fs::c_int_or(vm, a[2], MAX_WBITS)?;
    let mem_level = fs::c_int_or(vm, a[3], DEF_MEM_LEVEL)?;
    let strategy = fs::c_int_or(vm, a[4], z::Z_DEFAULT_STRATEGY)?;
    let zdict = if a[5].is_null() || a[5] == vm.none {
        None
    } else {
        Some(args::readable(vm, a[5])?)
    };
    let s = match start_deflate(level, method, wbits, mem_level, strategy) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return Err(no_memory(vm)),
        Err(z::Z_STREAM_ERROR) => {
            return Err(vm.value_error("Invalid initialization option"));
        }
        Err(code) => {
            return Err(error(
                vm,
                std::ptr::null(),
                code,
                "while creating compression object",
            ));
        }
    };
    let v = wrap(vm, slots::ZLIB_COMPRESS, s, Value::NULL);
    if let Some(d) = zdict {
        // SAFETY: a live stream and a buffer held by the arguments.
        let r = unsafe { z::deflateSetDictionary(s, d.as_ptr(), d.len() as u32) };
        match r {
            z::Z_OK => {}
            z::Z_STREAM_ERROR => return Err(vm.value_error("Invalid dictionary")),
            _ => return Err(vm.value_error("deflateSetDictionary()")),
        }
    }
    Ok(v)
}

fn decompressobj(vm: &mut Vm, a: &[Value]) -> R {
    let wbits = fs::c_int_or(vm, a[0], MAX_WBITS)?;
    let zdict = a[1];
    if zdict.is_some() && vm.buffer(zdict).is_none() {
        return Err(vm.type_error("zdict argument must support the buffer protocol"));
    }
    let s = match start_inflate(wbits) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return Err(no_memory(vm)),
        Err(z::Z_STREAM_ERROR) => {
            return Err(vm.value_error("Invalid initialization option"));
        }
        Err(code) => {
            return Err(error(
                vm,
                std::ptr::null(),
                code,
                "while creating decompression object",
            ));
        }
    };
    // Raw data cannot ask for its dictionary.
    if wbits < 0 && zdict.is_some() {
        let d = args::readable(vm, zdict)?;
        if !d.is_empty() {
            // SAFETY: a live stream and a buffer held by the arguments.
            let r = unsafe { z::inflateSetDictionary(s, d.as_ptr(), d.len() as u32) };
            if r != z::Z_OK {
                return Err(error(vm, s, r, "while setting zdict"));
            }
        }
    }
    Ok(wrap(vm, slots::ZLIB_DECOMPRESS, s, zdict))
}

/// Keeps what a decompressor did not read.
fn save_rest(vm: &mut Vm, v: Value, rest: &[u8], end: bool) {
    let o = of(v);
    if end {
        let mut all = vm.bytes(o.unused_data.get()).to_vec();
        all.extend_from_slice(rest);
        let all = vm.new_bytes(&all);
        let empty = vm.empty_bytes;
        o.unused_data.set(all);
        o.unconsumed_tail.set(empty);
        o.eof.set(true);
    } else {
        let tail = vm.new_bytes(rest);
        o.unconsumed_tail.set(tail);
    }
    vm.write_barrier(v);
}

fn obj_decompress(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[1])?.to_vec();
    let max = if a[2].is_null() {
        0
    } else {
        args::ssize(vm, a[2])?
    };
    if max < 0 {
        return Err(vm.value_error("max_length must be non-negative"));
    }
    let max = if max == 0 { usize::MAX } else { max as usize };
    if of(a[0]).eof.get() {
        // What follows the end is kept, not read.
        save_rest(vm, a[0], &b, true);
        return Ok(vm.empty_bytes);
    }
    let s = live(vm, a[0], "while decompressing data")?;
    let zdict = of(a[0]).zdict.get();
    let (out, code, rest) = inflate(vm, s, &b, zdict, max, false)?;
    save_rest(vm, a[0], &b[b.len() - rest..], code == z::Z_STREAM_END);
    Ok(vm.new_bytes(&out))
}

fn obj_flush(vm: &mut Vm, a: &[Value]) -> R {
    let n = if a[1].is_null() {
        DEF_BUF_SIZE
    } else {
        args::ssize(vm, a[1])?
    };
    if n <= 0 {
        return Err(vm.value_error("length must be greater than zero"));
    }
    let s = of(a[0]).stream.get();
    if s.is_null() || of(a[0]).eof.get() {
        end_inflate(a[0]);
        return Ok(vm.empty_bytes);
    }
    let tail = of(a[0]).unconsumed_tail.get();
    let b = vm.bytes(tail).to_vec();
    let zdict = of(a[0]).zdict.get();
    let (out, code, rest) = inflate(vm, s, &b, zdict, usize::MAX, true)?;
    let end = code == z::Z_STREAM_END;
    save_rest(vm, a[0], &b[b.len() - rest..], end);
    if end {
        end_inflate(a[0]);
    }
    Ok(vm.new_bytes(&out))
}

fn copy_deflate(vm: &mut Vm, a: &[Value]) -> R {
    let from = of(a[0]).stream.get();
    if from.is_null() {
        return Err(vm.value_error("Inconsistent stream state"));
    }
    let s = new_stream();
    // SAFETY: a live stream and room for another.
    let r = unsafe { z::deflateCopy(s, from) };
    copied(vm, a[0], slots::ZLIB_COMPRESS, s, r)
}

fn copy_inflate(vm: &mut Vm, a: &[Value]) -> R {
    let from = of(a[0]).stream.get();
    if from.is_null() {
        return Err(vm.value_error("Inconsistent stream state"));
    }
    let s = new_stream();
    // SAFETY: a live stream and room for another.
    let r = unsafe { z::inflateCopy(s, from) };
    copied(vm, a[0], slots::ZLIB_DECOMPRESS, s, r)
}

fn copied(vm: &mut Vm, old: Value, slot: usize, s: *mut z::z_stream, code: i32) -> R {
    if code != z::Z_OK {
        free_stream(s);
        return Err(match code {
            z::Z_STREAM_ERROR => vm.value_error("Inconsistent stream state"),
            z::Z_MEM_ERROR => no_memory(vm),
            code => error(
                vm,
                std::ptr::null(),
                code,
                "while copying compression object",
            ),
        });
    }
    let o = of(old);
    let v = wrap(vm, slot, s, o.zdict.get());
    let n = of(v);
    n.eof.set(o.eof.get());
    n.unused_data.set(o.unused_data.get());
    n.unconsumed_tail.set(o.unconsumed_tail.get());
    vm.write_barrier(v);
    Ok(v)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "The functions in this module allow compression and decompression using the\nzlib library, which is based on GNU zip.";
    let m = module(vm, "zlib", doc, FUNCTIONS);
    for (slot, name, methods, getset) in [
        (slots::ZLIB_COMPRESS, "Compress", COMPRESS, &[] as &[_]),
        (slots::ZLIB_DECOMPRESS, "Decompress", DECOMPRESS, FIELDS),
    ] {
        let t = vm.native_type(&TypeDef {
            module: "zlib",
            methods,
            getset,
            ..TypeDef::of::<Stream>(name, Layout::Library)
        });
        vm.type_data(t).has_finalizer = true;
        vm.statics[slot] = t.value();
    }
    let e = crate::new_exception(vm, "zlib", "error", &[]);
    vm.statics[slots::ZLIB_ERROR] = e;
    set(vm, m, "error", e);
    for (name, n) in [
        ("MAX_WBITS", MAX_WBITS),
        ("DEFLATED", z::Z_DEFLATED),
        ("DEF_MEM_LEVEL", DEF_MEM_LEVEL),
        ("DEF_BUF_SIZE", DEF_BUF_SIZE as i32),
        ("Z_NO_COMPRESSION", 0),
        ("Z_BEST_SPEED", 1),
        ("Z_BEST_COMPRESSION", 9),
        ("Z_DEFAULT_COMPRESSION", -1),
        ("Z_FILTERED", 1),
        ("Z_HUFFMAN_ONLY", 2),
        ("Z_RLE", 3),
        ("Z_FIXED", 4),
        ("Z_DEFAULT_STRATEGY", 0),
        ("Z_NO_FLUSH", 0),
        ("Z_PARTIAL_FLUSH", 1),
        ("Z_SYNC_FLUSH", 2),
        ("Z_FULL_FLUSH", 3),
        ("Z_FINISH", 4),
        ("Z_BLOCK", 5),
        ("Z_TREES", 6),
    ] {
        set(vm, m, name, Value::small(n));
    }
    for (name, text) in [
        ("ZLIB_VERSION", "1.3.1"),
        ("ZLIB_RUNTIME_VERSION", "1.3.1"),
        ("__version__", "1.0"),
    ] {
        let v = vm.new_str(text);
        set(vm, m, name, v);
    }
    Ok(m)
}

#[cfg(test)]
mod tests {
    #[test]
    fn adler_of_known_text() {
        assert_eq!(super::adler32(1, b"Wikipedia"), 0x11E6_0398);
    }
}
