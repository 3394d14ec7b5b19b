//! `FileIO`: a descriptor and its system calls.

use super::base::check_closed;
use super::{
    ANY, BUFFER, CLOSED, Class, add_class, bytes_arg, class, is_none, method, number, set_number,
    size_arg, unsupported,
};
use crate::fs::{self, c_int};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::native::{GetSetDef, NativeDef, def, getter};
use pyrite_objects::vm::{R, Vm};

/// The descriptor plus 1; 0 when there is none.
const FD: usize = 2;
/// Bits below.
const MODE: usize = 3;
/// 1 if the descriptor stays open.
const KEEP: usize = 4;

const READ: i64 = 1;
const WRITE: i64 = 2;
const APPEND: i64 = 4;
const CREATE: i64 = 8;

static METHODS: [NativeDef; 15] = [
    def(
        "__init__",
        "($self, file, mode='r', closefd=True, opener=None)",
        ANY,
        init,
    ),
    def("read", "($self, size=-1, /)", ANY, read),
    def("readall", "($self, /)", ANY, |vm, a| {
        readable(vm, a[0])?;
        read_all(vm, a[0])
    }),
    def("readinto", "($self, buffer, /)", ANY, |vm, a| {
        readable(vm, a[0])?;
        super::base::read_into(vm, a, "read")
    }),
    def("write", "($self, b, /)", ANY, write),
    def("seek", "($self, pos, whence=0, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        if vm.as_float(a[1]).is_some() {
            return Err(vm.type_error("an integer is required"));
        }
        let at = fs::c_long(vm, a[1])?;
        let whence = fs::c_int_or(vm, a[2], 0)?;
        seek(vm, a[0], at, whence)
    }),
    def("tell", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        seek(vm, a[0], 0, libc::SEEK_CUR)
    }),
    def("truncate", "($self, size=None, /)", ANY, truncate),
    def("close", "($self, /)", ANY, close),
    def("seekable", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        let fd = fd(vm, a[0]);
        // SAFETY: asks about a number.
        Ok(vm.bool(unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } >= 0))
    }),
    def("readable", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(vm.bool(number(vm, a[0], MODE) & READ != 0))
    }),
    def("writable", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(vm.bool(number(vm, a[0], MODE) & WRITE != 0))
    }),
    def("fileno", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(Value::small(fd(vm, a[0])))
    }),
    def("isatty", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        let fd = fd(vm, a[0]);
        // SAFETY: asks about a number.
        Ok(vm.bool(unsafe { libc::isatty(fd) } == 1))
    }),
    def("__repr__", "($self, /)", ANY, repr),
];

static GETSET: [GetSetDef; 3] = [
    getter("closed", |vm, v| Ok(vm.bool(fd(vm, v) < 0))),
    getter("closefd", |vm, v| Ok(vm.bool(number(vm, v, KEEP) == 0))),
    getter("mode", |vm, v| Ok(vm.new_str(mode_name(vm, v)))),
];

fn fd(vm: &Vm, v: Value) -> i32 {
    number(vm, v, FD) as i32 - 1
}

/// True if the file closes its descriptor.
pub(super) fn owns(vm: &Vm, v: Value) -> bool {
    number(vm, v, KEEP) == 0
}

fn mode_name(vm: &Vm, v: Value) -> &'static str {
    let m = number(vm, v, MODE);
    let both = m & READ != 0;
    if m & CREATE != 0 {
        if both { "xb+" } else { "xb" }
    } else if m & APPEND != 0 {
        if both { "ab+" } else { "ab" }
    } else if m & WRITE != 0 {
        if both { "rb+" } else { "wb" }
    } else {
        "rb"
    }
}

/// A new `FileIO`.
pub(super) fn make(vm: &mut Vm, file: Value, mode: Value, closefd: Value, opener: Value) -> R {
    let c = class(vm, slots::IO_FILEIO);
    let v = vm.new_instance(c);
    init(vm, &[v, file, mode, closefd, opener])?;
    Ok(v)
}

/// Size of the buffer that suits the file.
pub(super) fn block_size(vm: &Vm, v: Value) -> i64 {
    let fd = fd(vm, v);
    // SAFETY: all zeros are a valid structure, which the call fills.
    let s = unsafe {
        let mut s: libc::stat = std::mem::zeroed();
        if libc::fstat(fd, &mut s) != 0 {
            return BUFFER;
        }
        s
    };
    if s.st_blksize > 1 {
        s.st_blksize
    } else {
        BUFFER
    }
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    let mode = super::string_or(vm, a[2], "r")?;
    let mut m = 0;
    let mut flags = libc::O_CLOEXEC;
    let (mut kinds, mut plus) = (0, 0);
    for c in mode.chars() {
        match c {
            'r' => {
                kinds += 1;
                m |= READ;
            }
            'w' => {
                kinds += 1;
                m |= WRITE;
                flags |= libc::O_CREAT | libc::O_TRUNC;
            }
            'x' => {
                kinds += 1;
                m |= WRITE | CREATE;
                flags |= libc::O_CREAT | libc::O_EXCL;
            }
            'a' => {
                kinds += 1;
                m |= WRITE | APPEND;
                flags |= libc::O_CREAT | libc::O_APPEND;
            }
            '+' => plus += 1,
            'b' => {}
            _ => return Err(vm.value_error(&format!("invalid mode: {mode}"))),
        }
    }
    if kinds != 1 || plus > 1 {
        return Err(vm.value_error(
            "Must have exactly one of create/read/write/append mode and at most one plus",
        ));
    }
    if plus == 1 {
        m |= READ | WRITE;
    }
    flags |= match m & 3 {
        3 => libc::O_RDWR,
        WRITE => libc::O_WRONLY,
        _ => libc::O_RDONLY,
    };
    let closefd = fs::flag(vm, a[3], true)?;
    if vm.as_float(a[1]).is_some() {
        return Err(vm.type_error("integer argument expected, got float"));
    }
    let number_given = vm.is_int(a[1]);
    let handle = if number_given {
        let n = c_int(vm, a[1])?;
        if n < 0 {
            return Err(vm.value_error("negative file descriptor"));
        }
        n
    } else {
        if !closefd {
            return Err(vm.value_error("Cannot use closefd=False with file name"));
        }
        if is_none(vm, a[4]) {
            let p = fs::path(
                vm,
                a[1],
                fs::Accept {
                    function: "",
                    argument: "file",
                    fd: false,
                    none: false,
                },
            )?;
            // SAFETY: the name is a C string that lives through the call.
            match fs::retry(vm, || unsafe { libc::open(p.ptr(), flags, 0o666) as isize })? {
                Ok(n) => n as i32,
                Err(e) => return Err(fs::os_error(vm, e, a[1], Value::NULL)),
            }
        } else {
            let r = vm.call(a[4], &[a[1], Value::small(flags)])?;
            if !vm.is_int(r) {
                return Err(vm.type_error("expected integer from opener"));
            }
            let n = c_int(vm, r)?;
            if n < 0 {
                return Err(vm.value_error(&format!("opener returned {n}")));
            }
            // SAFETY: plain numbers.
            unsafe { libc::fcntl(n, libc::F_SETFD, libc::FD_CLOEXEC) };
            n
        }
    };
    // SAFETY: all zeros are a valid structure, which the call fills.
    let (r, s) = unsafe {
        let mut s: libc::stat = std::mem::zeroed();
        (libc::fstat(handle, &mut s), s)
    };
    let directory = r == 0 && s.st_mode & libc::S_IFMT == libc::S_IFDIR;
    if r != 0 || directory {
        let e = if directory {
            libc::EISDIR
        } else {
            fs::last_errno()
        };
        if !number_given {
            // SAFETY: just opened.
            unsafe { libc::close(handle) };
        }
        return Err(fs::os_error(vm, e, a[1], Value::NULL));
    }
    set_number(vm, v, FD, i64::from(handle) + 1);
    set_number(vm, v, MODE, m);
    set_number(vm, v, KEEP, i64::from(!closefd));
    set_number(vm, v, CLOSED, 0);
    let key = vm.intern("name");
    vm.setattr(v, key, a[1])?;
    if m & APPEND != 0 {
        // SAFETY: plain numbers.
        unsafe { libc::lseek(handle, 0, libc::SEEK_END) };
    }
    Ok(vm.none)
}

fn readable(vm: &mut Vm, v: Value) -> R<()> {
    if fd(vm, v) < 0 {
        return Err(vm.value_error("I/O operation on closed file"));
    }
    if number(vm, v, MODE) & READ == 0 {
        return Err(unsupported(vm, "File not open for reading"));
    }
    Ok(())
}

fn read(vm: &mut Vm, a: &[Value]) -> R {
    readable(vm, a[0])?;
    let Some(n) = size_arg(vm, a[1])? else {
        return read_all(vm, a[0]);
    };
    let mut buf = vec![0u8; n.min(0x7FFF_F000)];
    let fd = fd(vm, a[0]);
    // SAFETY: the buffer is as long as said.
    match fs::retry(vm, || unsafe {
        libc::read(fd, buf.as_mut_ptr().cast(), buf.len())
    })? {
        Ok(n) => Ok(vm.new_bytes(&buf[..n])),
        Err(libc::EAGAIN) => Ok(vm.none),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

fn read_all(vm: &mut Vm, v: Value) -> R {
    let fd = fd(vm, v);
    let mut out = Vec::new();
    // SAFETY: all zeros are a valid structure, which the call fills.
    let left = unsafe {
        let mut s: libc::stat = std::mem::zeroed();
        let at = libc::lseek(fd, 0, libc::SEEK_CUR);
        if at >= 0 && libc::fstat(fd, &mut s) == 0 {
            (s.st_size - at).clamp(0, 1 << 40) as usize
        } else {
            0
        }
    };
    out.reserve(left + 1);
    loop {
        if out.capacity() - out.len() < 1 {
            out.reserve(out.len().max(BUFFER as usize));
        }
        let room = out.spare_capacity_mut();
        let (p, n) = (room.as_mut_ptr(), room.len().min(0x7FFF_F000));
        // SAFETY: the spare room is as long as said.
        match fs::retry(vm, || unsafe { libc::read(fd, p.cast(), n) })? {
            Ok(0) => break,
            // SAFETY: the call filled that many bytes.
            Ok(n) => unsafe { out.set_len(out.len() + n) },
            Err(libc::EAGAIN) if out.is_empty() => return Ok(vm.none),
            Err(libc::EAGAIN) => break,
            Err(e) => return Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
        }
    }
    Ok(vm.new_bytes(&out))
}

fn write(vm: &mut Vm, a: &[Value]) -> R {
    let fd = fd(vm, a[0]);
    if fd < 0 {
        return Err(vm.value_error("I/O operation on closed file"));
    }
    if number(vm, a[0], MODE) & WRITE == 0 {
        return Err(unsupported(vm, "File not open for writing"));
    }
    let b = bytes_arg(vm, a[1])?;
    // SAFETY: the slice is live: nothing of Python runs meanwhile.
    match fs::retry(vm, || unsafe {
        libc::write(fd, b.as_ptr().cast(), b.len())
    })? {
        Ok(n) => Ok(Value::int_unchecked(n as i64)),
        Err(libc::EAGAIN) => Ok(vm.none),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

fn seek(vm: &mut Vm, v: Value, at: i64, whence: i32) -> R {
    let fd = fd(vm, v);
    // SAFETY: plain numbers.
    let n = unsafe { libc::lseek(fd, at, whence) };
    if n < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.new_int(n))
}

fn truncate(vm: &mut Vm, a: &[Value]) -> R {
    check_closed(vm, a[0])?;
    if number(vm, a[0], MODE) & WRITE == 0 {
        return Err(unsupported(vm, "File not open for writing"));
    }
    let n = if is_none(vm, a[1]) {
        method(vm, a[0], "tell", &[])?
    } else {
        a[1]
    };
    let size = fs::c_long(vm, n)?;
    let fd = fd(vm, a[0]);
    // SAFETY: plain numbers.
    if unsafe { libc::ftruncate(fd, size) } != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(n)
}

fn close(vm: &mut Vm, a: &[Value]) -> R {
    let fd = fd(vm, a[0]);
    set_number(vm, a[0], CLOSED, 1);
    if fd < 0 {
        return Ok(vm.none);
    }
    set_number(vm, a[0], FD, 0);
    if number(vm, a[0], KEEP) != 0 {
        return Ok(vm.none);
    }
    // SAFETY: the file owns its descriptor.
    if unsafe { libc::close(fd) } != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.none)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let n = fd(vm, a[0]);
    if n < 0 {
        return Ok(vm.new_str("<_io.FileIO [closed]>"));
    }
    let closefd = if number(vm, a[0], KEEP) == 0 {
        "True"
    } else {
        "False"
    };
    let mode = mode_name(vm, a[0]);
    let key = vm.intern("name");
    let name = vm.getattr_opt(a[0], key)?;
    let text = if name.is_null() {
        format!("<_io.FileIO fd={n} mode='{mode}' closefd={closefd}>")
    } else {
        format!(
            "<_io.FileIO name={} mode='{mode}' closefd={closefd}>",
            vm.repr_string(name)?
        )
    };
    Ok(vm.new_str(&text))
}

/// Makes the class.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let c = Class {
        name: "FileIO",
        slot: slots::IO_FILEIO,
        base: Some(slots::IO_RAW_BASE),
        methods: &METHODS,
        getset: &GETSET,
    };
    add_class(vm, m, &c);
}
