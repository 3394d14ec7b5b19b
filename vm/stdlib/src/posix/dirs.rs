//! Folders: making, removing, listing; the current one; entries.

use super::{dir_fd, done, stat};
use crate::fs::{self, Accept, c_int_or, plain_path};
use crate::{set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyValueSub, kind};
use pyrite_objects::native::{GetSetDef, NativeDef, class_def, def, effects, getter};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

pub(super) fn mkdir(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "mkdir")?;
    let mode = c_int_or(vm, a[1], 0o777)? as libc::mode_t;
    let dir = dir_fd(vm, a[2])?;
    // SAFETY: the name is a C string that lives through the call.
    let r = unsafe { libc::mkdirat(dir, p.ptr(), mode) };
    done(vm, r, p.shown)
}

pub(super) fn rmdir(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "rmdir")?;
    let dir = dir_fd(vm, a[1])?;
    // SAFETY: as in `mkdir`.
    let r = unsafe { libc::unlinkat(dir, p.ptr(), libc::AT_REMOVEDIR) };
    done(vm, r, p.shown)
}

pub(super) fn getcwd(vm: &mut Vm, bytes: bool) -> R {
    let mut buf = [0u8; 4097];
    // SAFETY: the buffer is as long as said.
    if unsafe { libc::getcwd(buf.as_mut_ptr().cast(), buf.len()) }.is_null() {
        return Err(fs::last_error(vm, Value::NULL));
    }
    let n = buf.iter().position(|&c| c == 0).unwrap_or(0);
    Ok(if bytes { vm.new_bytes(&buf[..n]) } else { fs::decode(vm, &buf[..n]) })
}

pub(super) fn chdir(vm: &mut Vm, a: &[Value]) -> R {
    let p = super::path_or_fd(vm, a[0], "chdir")?;
    // SAFETY: as in `mkdir`.
    let r = match p.fd {
        Some(fd) => unsafe { libc::fchdir(fd) },
        None => unsafe { libc::chdir(p.ptr()) },
    };
    done(vm, r, p.shown)
}

pub(super) fn fchdir(vm: &mut Vm, a: &[Value]) -> R {
    let fd = fs::descriptor(vm, a[0])?;
    // SAFETY: plain numbers.
    let r = unsafe { libc::fchdir(fd) };
    done(vm, r, Value::NULL)
}

/// One entry as the system tells it.
struct Entry {
    name: Vec<u8>,
    kind: u8,
    inode: u64,
}

/// All entries but `.` and `..`.
fn entries(p: &fs::Path) -> Result<Vec<Entry>, i32> {
    let mut out = Vec::new();
    // SAFETY: the stream is used by this function alone and closed at its end; the
    // entry it returns is read before the next call.
    unsafe {
        let d = match p.fd {
            Some(fd) => {
                let fd = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0);
                if fd < 0 {
                    return Err(fs::last_errno());
                }
                let d = libc::fdopendir(fd);
                if d.is_null() {
                    let e = fs::last_errno();
                    libc::close(fd);
                    return Err(e);
                }
                libc::rewinddir(d);
                d
            }
            None => {
                let d = libc::opendir(p.ptr());
                if d.is_null() {
                    return Err(fs::last_errno());
                }
                d
            }
        };
        let error = loop {
            *libc::__errno_location() = 0;
            let e = libc::readdir(d);
            if e.is_null() {
                break fs::last_errno();
            }
            let name = std::ffi::CStr::from_ptr((*e).d_name.as_ptr()).to_bytes();
            if name != b"." && name != b".." {
                out.push(Entry { name: name.to_vec(), kind: (*e).d_type, inode: (*e).d_ino });
            }
        };
        libc::closedir(d);
        if error != 0 { Err(error) } else { Ok(out) }
    }
}

fn list(vm: &mut Vm, v: Value, function: &'static str) -> R<(fs::Path, Vec<Entry>)> {
    let p = fs::path(vm, v, Accept { function, argument: "path", fd: true, none: true })?;
    match entries(&p) {
        Ok(e) => Ok((p, e)),
        Err(e) => {
            let shown = if p.shown.is_null() { vm.intern(".") } else { p.shown };
            Err(fs::os_error(vm, e, shown, Value::NULL))
        }
    }
}

fn name_value(vm: &mut Vm, name: &[u8], bytes: bool) -> Value {
    if bytes { vm.new_bytes(name) } else { fs::decode(vm, name) }
}

pub(super) fn listdir(vm: &mut Vm, a: &[Value]) -> R {
    let (p, found) = list(vm, a[0], "listdir")?;
    let l = vm.new_list(&[]);
    for e in found {
        let v = name_value(vm, &e.name, p.bytes);
        vm.list_append(l, v);
    }
    Ok(l)
}

/// Words of a DirEntry.
mod entry {
    pub(super) const NAME: usize = 1;
    pub(super) const PATH: usize = 2;
    pub(super) const KIND: usize = 3;
    pub(super) const INODE: usize = 4;
    pub(super) const DIR: usize = 5;
    pub(super) const STAT: usize = 6;
    pub(super) const LSTAT: usize = 7;
    pub(super) const WORDS: usize = 8;
}

/// Words of the iterator: the list of entries (null when exhausted), the position.
mod scan {
    pub(super) const LIST: usize = 1;
    pub(super) const AT: usize = 2;
    pub(super) const WORDS: usize = 3;
}

pub(super) fn scandir(vm: &mut Vm, a: &[Value]) -> R {
    let (p, found) = list(vm, a[0], "scandir")?;
    let class = Gc::from_value(vm.statics[slots::DIR_ENTRY]);
    let l = vm.new_list(&[]);
    let mut base = p.name.as_bytes().to_vec();
    if !base.is_empty() && base.last() != Some(&b'/') {
        base.push(b'/');
    }
    for e in found {
        let v = vm.new_instance(class);
        let name = name_value(vm, &e.name, p.bytes);
        vm.store_word(v, entry::NAME, name);
        let path = if p.fd.is_some() {
            name
        } else {
            let mut full = if p.shown.is_null() { b"./".to_vec() } else { base.clone() };
            full.extend_from_slice(&e.name);
            name_value(vm, &full, p.bytes)
        };
        vm.store_word(v, entry::PATH, path);
        vm.store_word(v, entry::KIND, Value::small(e.kind.into()));
        let inode = vm.new_uint(e.inode);
        vm.store_word(v, entry::INODE, inode);
        if let Some(fd) = p.fd {
            vm.store_word(v, entry::DIR, Value::small(fd));
        }
        vm.list_append(l, v);
    }
    let class = Gc::from_value(vm.statics[slots::SCANDIR]);
    let it = vm.new_instance(class);
    vm.store_word(it, scan::LIST, l);
    vm.store_word(it, scan::AT, Value::small(0));
    Ok(it)
}

static SCAN_METHODS: [NativeDef; 5] = [
    def("__iter__", "($self, /)", effects::READS, |_, a| Ok(a[0])),
    def("__next__", "($self, /)", effects::ANY, |vm, a| {
        let l = vm.word(a[0], scan::LIST);
        let at = vm.word(a[0], scan::AT).int_value() as usize;
        if l.is_null() || at >= vm.list_len(l) {
            vm.store_word(a[0], scan::LIST, Value::NULL);
            let none = vm.none;
            return Err(vm.stop_iteration(none));
        }
        vm.store_word(a[0], scan::AT, Value::int_unchecked(at as i64 + 1));
        Ok(vm.list_get(l, at))
    }),
    def("close", "($self, /)", effects::WRITES, scan_close),
    def("__enter__", "($self, /)", effects::READS, |_, a| Ok(a[0])),
    def("__exit__", "($self, /, *args)", effects::WRITES, scan_close),
];

fn scan_close(vm: &mut Vm, a: &[Value]) -> R {
    vm.store_word(a[0], scan::LIST, Value::NULL);
    Ok(vm.none)
}

static ENTRY_METHODS: [NativeDef; 8] = [
    def("inode", "($self, /)", effects::READS, |vm, a| Ok(vm.word(a[0], entry::INODE))),
    def("stat", "($self, /, *, follow_symlinks=True)", effects::ANY, |vm, a| {
        let follow = fs::flag(vm, a[1], true)?;
        entry_stat(vm, a[0], follow)
    }),
    def("is_dir", "($self, /, *, follow_symlinks=True)", effects::ANY, |vm, a| {
        is_kind(vm, a, libc::DT_DIR, libc::S_IFDIR)
    }),
    def("is_file", "($self, /, *, follow_symlinks=True)", effects::ANY, |vm, a| {
        is_kind(vm, a, libc::DT_REG, libc::S_IFREG)
    }),
    def("is_symlink", "($self, /)", effects::ANY, |vm, a| {
        let no = vm.false_;
        is_kind(vm, &[a[0], no], libc::DT_LNK, libc::S_IFLNK)
    }),
    def("__fspath__", "($self, /)", effects::READS, |vm, a| Ok(vm.word(a[0], entry::PATH))),
    def("__repr__", "($self, /)", effects::ALLOC, |vm, a| {
        let name = vm.word(a[0], entry::NAME);
        let text = format!("<DirEntry {}>", vm.repr_string(name)?);
        Ok(vm.new_str(&text))
    }),
    class_def("__class_getitem__", "($type, item, /)", effects::ALLOC, |vm, a| {
        pyrite_objects::misc::generic_alias(vm, a[0], a[1])
    }),
];

static ENTRY_GETSET: [GetSetDef; 2] = [
    getter("name", |vm, v| Ok(vm.word(v, entry::NAME))),
    getter("path", |vm, v| Ok(vm.word(v, entry::PATH))),
];

fn entry_stat(vm: &mut Vm, v: Value, follow: bool) -> R {
    let is_link = vm.word(v, entry::KIND) == Value::small(libc::DT_LNK.into());
    let word = if follow && is_link { entry::STAT } else { entry::LSTAT };
    let known = vm.word(v, word);
    if known.is_some() {
        return Ok(known);
    }
    let dir = vm.word(v, entry::DIR);
    let at = vm.word(v, if dir.is_some() { entry::NAME } else { entry::PATH });
    let p = plain_path(vm, at, "stat")?;
    let dir = dir_fd(vm, dir)?;
    match stat::raw(dir, &p, follow) {
        Ok(s) => {
            let r = stat::result(vm, &s);
            vm.store_word(v, word, r);
            Ok(r)
        }
        Err(e) => Err(fs::os_error(vm, e, at, Value::NULL)),
    }
}

fn is_kind(vm: &mut Vm, a: &[Value], kind: u8, mode: u32) -> R {
    let follow = fs::flag(vm, a[1], true)?;
    let known = vm.word(a[0], entry::KIND).int_value() as u8;
    if known != libc::DT_UNKNOWN && !(follow && known == libc::DT_LNK) {
        return Ok(vm.bool(known == kind));
    }
    match entry_stat(vm, a[0], follow) {
        Ok(s) => {
            let Some(t) = vm.as_tuple(s) else { return Ok(vm.false_) };
            let m = vm.tuple_get(t, 0).int_value() as u32;
            Ok(vm.bool(m & libc::S_IFMT == mode))
        }
        Err(_) if vm.exc_is(vm.types.file_not_found_error) => {
            vm.exc = Value::NULL;
            Ok(vm.false_)
        }
        Err(e) => Err(e),
    }
}

/// `posixpath.normpath` of a string or bytes.
pub(super) fn normpath(vm: &mut Vm, a: &[Value]) -> R {
    let (raw, bytes) = match (vm.as_str(a[0]), vm.as_bytes(a[0])) {
        (Some(s), _) => (fs::encode(vm.text(s)), false),
        (_, Some(b)) => (vm.bytes(b).to_vec(), true),
        _ => {
            let m = format!("expected str, not {}", vm.class_name(a[0]));
            return Err(vm.type_error(&m));
        }
    };
    let lead = raw.iter().take_while(|&&c| c == b'/').count();
    let slashes: &[u8] = match lead {
        0 => b"",
        2 => b"//",
        _ => b"/",
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in raw.split(|&c| c == b'/') {
        match part {
            b"" | b"." => {}
            b".." if lead == 0 && parts.last().is_none_or(|p| *p == b"..") => parts.push(part),
            b".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut out = slashes.to_vec();
    out.extend_from_slice(&parts.join(&b'/'));
    if out.is_empty() {
        out.push(b'.');
    }
    Ok(name_value(vm, &out, bytes))
}

/// Makes the classes.
pub(super) fn classes(vm: &mut Vm, m: Value) {
    let c = vm.native_type(&TypeDef {
        module: "posix",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: entry::WORDS,
        methods: &ENTRY_METHODS,
        getset: &ENTRY_GETSET,
        ..TypeDef::of::<PyValueSub>("DirEntry", Layout::Library)
    });
    vm.statics[slots::DIR_ENTRY] = c.value();
    set(vm, m, "DirEntry", c.value());
    let c = vm.native_type(&TypeDef {
        module: "posix",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: scan::WORDS,
        methods: &SCAN_METHODS,
        ..TypeDef::of::<PyValueSub>("ScandirIterator", Layout::Library)
    });
    vm.statics[slots::SCANDIR] = c.value();
}
