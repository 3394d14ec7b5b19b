//! What every module that asks the system for something shares: file names in
//! Python's forms, error numbers as exceptions, integers of a C type's range.
//!
//! File names are UTF-8 with `surrogateescape`: a byte that does not decode is
//! the code point U+DC80 + (byte - 0x80), and goes back to that byte.

use pyrite_machine::Value;
use pyrite_objects::text::Text;
use pyrite_objects::vm::{R, Raised, Vm};
use std::ffi::CString;

/// A string's bytes as the file system sees them.
pub fn encode(t: Text<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(t.len());
    for c in t.iter() {
        match char::from_u32(c) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None if (0xDC80..=0xDCFF).contains(&c) => out.push(c as u8),
            None => out.push(b'?'),
        }
    }
    out
}

/// The string for bytes from the system.
pub fn decode(vm: &mut Vm, b: &[u8]) -> Value {
    match std::str::from_utf8(b) {
        Ok(s) => vm.new_str(s),
        Err(_) => {
            let mut points = Vec::with_capacity(b.len());
            for chunk in b.utf8_chunks() {
                points.extend(chunk.valid().chars().map(u32::from));
                points.extend(chunk.invalid().iter().map(|&b| 0xDC00 + u32::from(b)));
            }
            vm.new_str_points(&points)
        }
    }
}

/// Raises OSError (or the subclass for the number) for a system error number.
pub fn os_error(vm: &mut Vm, errno: i32, file: Value, file2: Value) -> Raised {
    let text = strerror(errno);
    let text = vm.new_str(&text);
    let number = Value::small(errno);
    let none = vm.none;
    let class = vm.types.os_error.value();
    let e = if file2.is_some() {
        vm.call(class, &[number, text, file, none, file2])
    } else if file.is_some() {
        vm.call(class, &[number, text, file])
    } else {
        vm.call(class, &[number, text])
    };
    match e {
        Ok(e) => vm.raise(e),
        Err(r) => r,
    }
}

/// The C library's text for an error number.
pub fn strerror(errno: i32) -> String {
    // SAFETY: strerror returns a string of the C library, copied at once.
    unsafe { std::ffi::CStr::from_ptr(libc::strerror(errno)) }
        .to_string_lossy()
        .into_owned()
}

/// The thread's last system error.
pub fn last_errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Raises for the last system error.
pub fn last_error(vm: &mut Vm, file: Value) -> Raised {
    let n = last_errno();
    os_error(vm, n, file, Value::NULL)
}

/// The `str` or `bytes` that a path stands for (`os.fspath`).
pub fn fspath(vm: &mut Vm, v: Value) -> R {
    if vm.is_str(v) || vm.as_bytes(v).is_some() {
        return Ok(v);
    }
    let class = vm.class_of(v);
    let f = vm.lookup(class, vm.names.fspath);
    if f.is_null() {
        let m = format!(
            "expected str, bytes or os.PathLike object, not {}",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    }
    let r = vm.call_method_value(f, v, &[])?;
    if vm.is_str(r) || vm.as_bytes(r).is_some() {
        return Ok(r);
    }
    let m = format!(
        "expected {}.__fspath__() to return str or bytes, not {}",
        vm.class_name(v),
        vm.class_name(r)
    );
    Err(vm.type_error(&m))
}

/// A path argument, understood.
pub struct Path {
    pub name: CString,
    /// What the caller gave, for error messages.
    pub shown: Value,
    /// Results are `bytes`.
    pub bytes: bool,
    /// A descriptor was given instead of a name.
    pub fd: Option<i32>,
}

impl Path {
    /// The name, as C wants it.
    pub fn ptr(&self) -> *const libc::c_char {
        self.name.as_ptr()
    }
}

/// Which forms a path argument may have.
#[derive(Clone, Copy)]
pub struct Accept {
    /// Function named in the messages.
    pub function: &'static str,
    /// Parameter named in the messages.
    pub argument: &'static str,
    pub fd: bool,
    pub none: bool,
}

/// Converts a path argument.
pub fn path(vm: &mut Vm, v: Value, accept: Accept) -> R<Path> {
    if v.is_null() || accept.none && v == vm.none {
        return Ok(Path {
            name: c".".into(),
            shown: Value::NULL,
            bytes: false,
            fd: None,
        });
    }
    if accept.fd && vm.is_int(v) {
        let fd = c_int(vm, v)?;
        return Ok(Path {
            name: c"".into(),
            shown: v,
            bytes: false,
            fd: Some(fd),
        });
    }
    let mut p = v;
    if !vm.is_str(v) && vm.as_bytes(v).is_none() {
        let class = vm.class_of(v);
        let f = vm.lookup(class, vm.names.fspath);
        if f.is_null() {
            let what = match (accept.fd, accept.none) {
                (true, true) => "string, bytes, os.PathLike, integer or None",
                (true, false) => "string, bytes, os.PathLike or integer",
                (false, true) => "string, bytes, os.PathLike or None",
                (false, false) => "string, bytes or os.PathLike",
            };
            let m = format!(
                "{}: {} should be {what}, not {}",
                accept.function,
                accept.argument,
                vm.class_name(v)
            );
            return Err(vm.type_error(&m));
        }
        p = fspath(vm, v)?;
    }
    let (raw, bytes) = match vm.as_bytes(p) {
        Some(b) => (vm.bytes(b).to_vec(), true),
        None => match vm.as_str(p) {
            Some(s) => (encode(vm.text(s)), false),
            None => return Err(vm.type_error("expected str or bytes")),
        },
    };
    match CString::new(raw) {
        Ok(name) => Ok(Path {
            name,
            shown: p,
            bytes,
            fd: None,
        }),
        Err(_) if accept.function.is_empty() => Err(vm.value_error("embedded null byte")),
        Err(_) => {
            let m = format!(
                "{}: embedded null character in {}",
                accept.function, accept.argument
            );
            Err(vm.value_error(&m))
        }
    }
}

/// The path argument of a function that wants a name.
pub fn plain_path(vm: &mut Vm, v: Value, function: &'static str) -> R<Path> {
    path(
        vm,
        v,
        Accept {
            function,
            argument: "path",
            fd: false,
            none: false,
        },
    )
}

/// An argument of type `int` (the C one).
pub fn c_int(vm: &mut Vm, v: Value) -> R<i32> {
    if vm.as_float(v).is_some() {
        return Err(vm.type_error("'float' object cannot be interpreted as an integer"));
    }
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(i) => match i32::try_from(i) {
            Ok(i) => Ok(i),
            Err(_) if i > 0 => Err(vm.overflow_error("signed integer is greater than maximum")),
            Err(_) => Err(vm.overflow_error("signed integer is less than minimum")),
        },
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
    }
}

/// An argument of type `int`, or `default` when it was left out.
pub fn c_int_or(vm: &mut Vm, v: Value, default: i32) -> R<i32> {
    if v.is_null() {
        Ok(default)
    } else {
        c_int(vm, v)
    }
}

/// A 64-bit argument.
pub fn c_long(vm: &mut Vm, v: Value) -> R<i64> {
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(i) => Ok(i),
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
    }
}

/// A truth argument with a default.
pub fn flag(vm: &mut Vm, v: Value, default: bool) -> R<bool> {
    if v.is_null() {
        Ok(default)
    } else {
        vm.truth(v)
    }
}

/// A descriptor: an int, or an object with `fileno()`.
pub fn descriptor(vm: &mut Vm, v: Value) -> R<i32> {
    if vm.is_int(v) {
        return c_int(vm, v);
    }
    let name = vm.names.fileno;
    let f = vm.getattr_opt(v, name)?;
    if f.is_null() {
        return Err(vm.type_error("argument must be an int, or have a fileno() method."));
    }
    let r = vm.call(f, &[])?;
    if !vm.is_int(r) {
        return Err(vm.type_error("fileno() returned a non-integer"));
    }
    c_int(vm, r)
}

/// A system call that other threads may run beside, repeated when a signal
/// interrupted it; -1 with the error number.
///
/// # Errors
/// What a signal's handler raised.
pub fn retry(vm: &mut Vm, mut f: impl FnMut() -> isize) -> R<Result<usize, i32>> {
    loop {
        let (n, e) = vm.blocking(|| {
            let n = f();
            (n, last_errno())
        });
        if n >= 0 {
            return Ok(Ok(n as usize));
        }
        if e != libc::EINTR {
            return Ok(Err(e));
        }
        vm.answer_polls()?;
    }
}
