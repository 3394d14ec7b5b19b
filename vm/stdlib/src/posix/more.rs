//! Less common calls: identities, scheduling, vectors of buffers, attributes of files,
//! terminals, anonymous files.

use super::done;
use crate::fs::{self, c_int, c_int_or, c_long, plain_path};
use crate::{set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::ffi::CStr;

const ANY: u8 = effects::ANY;

pub(super) static FUNCTIONS: &[NativeDef] = &[
    // Identities.
    def("setuid", "(uid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setuid(v[0]) })
    }),
    def("seteuid", "(euid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::seteuid(v[0]) })
    }),
    def("setgid", "(gid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setgid(v[0]) })
    }),
    def("setegid", "(egid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setegid(v[0]) })
    }),
    def("setreuid", "(ruid, euid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setreuid(v[0], v[1]) })
    }),
    def("setregid", "(rgid, egid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setregid(v[0], v[1]) })
    }),
    def("setresuid", "(ruid, euid, suid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setresuid(v[0], v[1], v[2]) })
    }),
    def("setresgid", "(rgid, egid, sgid, /)", ANY, |vm, a| {
        // SAFETY: plain numbers.
        ids(vm, a, |v| unsafe { libc::setresgid(v[0], v[1], v[2]) })
    }),
    def("getresuid", "()", ANY, |vm, _| {
        // SAFETY: writes three numbers.
        triple(vm, |v| unsafe {
            libc::getresuid(&mut v[0], &mut v[1], &mut v[2])
        })
    }),
    def("getresgid", "()", ANY, |vm, _| {
        // SAFETY: writes three numbers.
        triple(vm, |v| unsafe {
            libc::getresgid(&mut v[0], &mut v[1], &mut v[2])
        })
    }),
    def("setpgrp", "()", ANY, |vm, _| {
        // SAFETY: no preconditions.
        let r = unsafe { libc::setpgid(0, 0) };
        done(vm, r, Value::NULL)
    }),
    def("getgroups", "()", ANY, |vm, _| {
        let mut all = vec![0 as libc::gid_t; 65536];
        // SAFETY: the buffer is as long as said.
        let n = unsafe { libc::getgroups(all.len() as i32, all.as_mut_ptr()) };
        groups(vm, n, &all)
    }),
    def("getgrouplist", "(user, group, /)", ANY, |vm, a| {
        let user = plain_path(vm, a[0], "getgrouplist")?;
        let group = id(vm, a[1], "gid")?;
        let mut all = vec![0 as libc::gid_t; 65536];
        let mut n = all.len() as i32;
        // SAFETY: the buffer is as long as said.
        let r = unsafe { libc::getgrouplist(user.ptr(), group, all.as_mut_ptr(), &mut n) };
        groups(vm, if r < 0 { r } else { n }, &all)
    }),
    def("initgroups", "(username, gid, /)", ANY, |vm, a| {
        let user = plain_path(vm, a[0], "initgroups")?;
        let group = id(vm, a[1], "gid")?;
        // SAFETY: a C string.
        let r = unsafe { libc::initgroups(user.ptr(), group) };
        done(vm, r, Value::NULL)
    }),
    def("setgroups", "(groups, /)", ANY, |vm, a| {
        let list = vm.list_from_iterable(a[0])?;
        let mut all = Vec::new();
        for i in 0..vm.list_len(list) {
            all.push(id(vm, vm.list_get(list, i), "gid")?);
        }
        // SAFETY: the buffer is as long as said.
        let r = unsafe { libc::setgroups(all.len(), all.as_ptr()) };
        done(vm, r, Value::NULL)
    }),
    def("getlogin", "()", ANY, |vm, _| {
        // SAFETY: a string of the C library, copied at once.
        let name = unsafe {
            let p = libc::getlogin();
            if p.is_null() {
                return Err(fs::last_error(vm, Value::NULL));
            }
            CStr::from_ptr(p).to_bytes().to_vec()
        };
        Ok(fs::decode(vm, &name))
    }),
    // Scheduling.
    def("sched_get_priority_max", "(policy)", ANY, |vm, a| {
        super::children::one(vm, a[0], libc::sched_get_priority_max)
    }),
    def("sched_get_priority_min", "(policy)", ANY, |vm, a| {
        super::children::one(vm, a[0], libc::sched_get_priority_min)
    }),
    def("sched_getscheduler", "(pid, /)", ANY, |vm, a| {
        super::children::one(vm, a[0], libc::sched_getscheduler)
    }),
    def(
        "sched_setscheduler",
        "(pid, policy, param, /)",
        ANY,
        |vm, a| {
            let (pid, policy) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
            let p = param(vm, a[2])?;
            // SAFETY: reads the structure.
            let r = unsafe { libc::sched_setscheduler(pid, policy, &p) };
            done(vm, r.min(0), Value::NULL)
        },
    ),
    def("sched_getparam", "(pid, /)", ANY, |vm, a| {
        let pid = c_int(vm, a[0])?;
        // SAFETY: fills the structure.
        let (r, p) = unsafe {
            let mut p: libc::sched_param = std::mem::zeroed();
            (libc::sched_getparam(pid, &mut p), p)
        };
        if r != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        let class = Gc::from_value(vm.statics[slots::SCHED_PARAM]);
        Ok(structseq::new(vm, class, &[Value::small(p.sched_priority)]))
    }),
    def("sched_setparam", "(pid, param, /)", ANY, |vm, a| {
        let pid = c_int(vm, a[0])?;
        let p = param(vm, a[1])?;
        // SAFETY: reads the structure.
        let r = unsafe { libc::sched_setparam(pid, &p) };
        done(vm, r, Value::NULL)
    }),
    def("sched_rr_get_interval", "(pid, /)", ANY, |vm, a| {
        let pid = c_int(vm, a[0])?;
        // SAFETY: fills the structure.
        let (r, t) = unsafe {
            let mut t: libc::timespec = std::mem::zeroed();
            (libc::sched_rr_get_interval(pid, &mut t), t)
        };
        if r != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        Ok(Value::float(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9))
    }),
    def("sched_setaffinity", "(pid, mask, /)", ANY, |vm, a| {
        let pid = c_int(vm, a[0])?;
        let list = vm.list_from_iterable(a[1])?;
        // SAFETY: all zeros are an empty set.
        let mut s: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        for i in 0..vm.list_len(list) {
            let n = vm.index_i64(vm.list_get(list, i), false)?;
            if n < 0 {
                return Err(vm.value_error("negative CPU number"));
            }
            if n < i64::from(libc::CPU_SETSIZE) {
                // SAFETY: the number is below the set's size.
                unsafe { libc::CPU_SET(n as usize, &mut s) };
            }
        }
        // SAFETY: reads the set.
        let r = unsafe { libc::sched_setaffinity(pid, size_of::<libc::cpu_set_t>(), &s) };
        done(vm, r, Value::NULL)
    }),
    // Vectors of buffers.
    def("writev", "(fd, buffers, /)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        let v = vectors(vm, a[1], "writev")?;
        // SAFETY: the buffers stay where they are while they are on this stack.
        let r = fs::retry(vm, || unsafe {
            libc::writev(fd, v.as_ptr(), v.len() as i32)
        })?;
        counted(vm, r)
    }),
    def(
        "pwritev",
        "(fd, buffers, offset, flags=0, /)",
        ANY,
        |vm, a| {
            let fd = c_int(vm, a[0])?;
            let v = vectors(vm, a[1], "pwritev")?;
            let at = c_long(vm, a[2])?;
            let flags = c_int_or(vm, a[3], 0)?;
            // SAFETY: as above.
            let r = fs::retry(vm, || unsafe {
                libc::pwritev2(fd, v.as_ptr(), v.len() as i32, at, flags)
            })?;
            counted(vm, r)
        },
    ),
    def("readv", "(fd, buffers, /)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        // SAFETY: the buffer is as long as said.
        read_vectors(vm, a[1], "readv", |b| unsafe {
            libc::read(fd, b.as_mut_ptr().cast(), b.len())
        })
    }),
    def(
        "preadv",
        "(fd, buffers, offset, flags=0, /)",
        ANY,
        |vm, a| {
            let fd = c_int(vm, a[0])?;
            let at = c_long(vm, a[2])?;
            // SAFETY: the buffer is as long as said.
            read_vectors(vm, a[1], "preadv", |b| unsafe {
                libc::pread(fd, b.as_mut_ptr().cast(), b.len(), at)
            })
        },
    ),
    def(
        "sendfile",
        "(out_fd, in_fd, offset, count, headers=(), trailers=(), flags=0)",
        ANY,
        |vm, a| {
            let (to, from) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
            let n = c_long(vm, a[3])? as usize;
            let none = a[2] == vm.none;
            let mut at = if none { 0 } else { c_long(vm, a[2])? };
            // SAFETY: reads and writes one number.
            let r = fs::retry(vm, || unsafe {
                let at = if none {
                    std::ptr::null_mut()
                } else {
                    &raw mut at
                };
                libc::sendfile(to, from, at, n)
            })?;
            counted(vm, r)
        },
    ),
    def(
        "copy_file_range",
        "(src, dst, count, offset_src=None, offset_dst=None)",
        ANY,
        |vm, a| {
            let (from, to) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
            let n = c_long(vm, a[2])?;
            if n < 0 {
                return Err(vm.value_error("negative value for 'count' not allowed"));
            }
            let mut x = offset(vm, a[3])?;
            let mut y = offset(vm, a[4])?;
            // SAFETY: reads and writes two numbers.
            let r = fs::retry(vm, || unsafe {
                libc::copy_file_range(from, pointer(&mut x), to, pointer(&mut y), n as usize, 0)
            })?;
            counted(vm, r)
        },
    ),
    def(
        "splice",
        "(src, dst, count, offset_src=None, offset_dst=None, flags=0)",
        ANY,
        |vm, a| {
            let (from, to) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
            let n = c_long(vm, a[2])?;
            if n < 0 {
                return Err(vm.value_error("negative value for 'count' not allowed"));
            }
            let mut x = offset(vm, a[3])?;
            let mut y = offset(vm, a[4])?;
            let flags = c_int_or(vm, a[5], 0)? as u32;
            // SAFETY: reads and writes two numbers.
            let r = fs::retry(vm, || unsafe {
                libc::splice(
                    from,
                    pointer(&mut x),
                    to,
                    pointer(&mut y),
                    n as usize,
                    flags,
                )
            })?;
            counted(vm, r)
        },
    ),
    // Files.
    def("lockf", "(fd, command, length, /)", ANY, |vm, a| {
        let (fd, command, n) = (c_int(vm, a[0])?, c_int(vm, a[1])?, c_long(vm, a[2])?);
        // SAFETY: plain numbers.
        let r = fs::retry(vm, || unsafe { libc::lockf(fd, command, n) as isize })?;
        nothing(vm, r)
    }),
    def(
        "posix_fallocate",
        "(fd, offset, length, /)",
        ANY,
        |vm, a| {
            let (fd, at, n) = (c_int(vm, a[0])?, c_long(vm, a[1])?, c_long(vm, a[2])?);
            // SAFETY: plain numbers.
            let e = vm.blocking(|| unsafe { libc::posix_fallocate(fd, at, n) });
            failed(vm, e)
        },
    ),
    def(
        "posix_fadvise",
        "(fd, offset, length, advice, /)",
        ANY,
        |vm, a| {
            let (fd, at, n) = (c_int(vm, a[0])?, c_long(vm, a[1])?, c_long(vm, a[2])?);
            let advice = c_int(vm, a[3])?;
            // SAFETY: plain numbers.
            let e = vm.blocking(|| unsafe { libc::posix_fadvise(fd, at, n, advice) });
            failed(vm, e)
        },
    ),
    def("sync", "()", ANY, |vm, _| {
        // SAFETY: no preconditions.
        vm.blocking(|| unsafe { libc::sync() });
        Ok(vm.none)
    }),
    def("fchown", "(fd, uid, gid)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        let (u, g) = (id(vm, a[1], "uid")?, id(vm, a[2], "gid")?);
        // SAFETY: plain numbers.
        let r = unsafe { libc::fchown(fd, u, g) };
        done(vm, r, Value::NULL)
    }),
    def("fstatvfs", "(fd, /)", ANY, super::stat::statvfs),
    def("chroot", "(path)", ANY, |vm, a| {
        let p = plain_path(vm, a[0], "chroot")?;
        // SAFETY: a C string.
        let r = unsafe { libc::chroot(p.ptr()) };
        done(vm, r, p.shown)
    }),
    def(
        "mknod",
        "(path, mode=384, device=0, *, dir_fd=None)",
        ANY,
        |vm, a| {
            let p = plain_path(vm, a[0], "mknod")?;
            let mode = c_int_or(vm, a[1], 0o600)? as libc::mode_t;
            let device = if a[2].is_null() { 0 } else { c_long(vm, a[2])? };
            let dir = super::dir_fd(vm, a[3])?;
            // SAFETY: a C string.
            let r = unsafe { libc::mknodat(dir, p.ptr(), mode, device as libc::dev_t) };
            done(vm, r, p.shown)
        },
    ),
    def("major", "(device, /)", ANY, |vm, a| {
        let d = c_long(vm, a[0])? as libc::dev_t;
        Ok(Value::int_unchecked(libc::major(d).into()))
    }),
    def("minor", "(device, /)", ANY, |vm, a| {
        let d = c_long(vm, a[0])? as libc::dev_t;
        Ok(Value::int_unchecked(libc::minor(d).into()))
    }),
    def("makedev", "(major, minor, /)", ANY, |vm, a| {
        let (x, y) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
        Ok(vm.new_int(libc::makedev(x as u32, y as u32) as i64))
    }),
    def("pathconf", "(path, name)", ANY, |vm, a| {
        let p = super::path_or_fd(vm, a[0], "pathconf")?;
        let n = conf_name(vm, a[1], PATHCONF)?;
        // SAFETY: a C string or a number.
        limit(vm, p.shown, || unsafe {
            match p.fd {
                Some(fd) => libc::fpathconf(fd, n),
                None => libc::pathconf(p.ptr(), n),
            }
        })
    }),
    def("fpathconf", "(fd, name, /)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        let n = conf_name(vm, a[1], PATHCONF)?;
        // SAFETY: plain numbers.
        limit(vm, Value::NULL, || unsafe { libc::fpathconf(fd, n) })
    }),
    def("confstr", "(name, /)", ANY, |vm, a| {
        let n = conf_name(vm, a[0], CONFSTR)?;
        let mut buf = vec![0u8; 4096];
        // SAFETY: the buffer is as long as said.
        let len = unsafe {
            *libc::__errno_location() = 0;
            libc::confstr(n, buf.as_mut_ptr().cast(), buf.len())
        };
        if len == 0 {
            return match fs::last_errno() {
                0 => Ok(vm.none),
                _ => Err(fs::last_error(vm, Value::NULL)),
            };
        }
        buf.truncate(len.min(buf.len()) - 1);
        Ok(fs::decode(vm, &buf))
    }),
    // Extended attributes.
    def(
        "getxattr",
        "(path, attribute, *, follow_symlinks=True)",
        ANY,
        |vm, a| {
            let p = super::path_or_fd(vm, a[0], "getxattr")?;
            let name = plain_path(vm, a[1], "getxattr")?;
            let follow = a[2].is_null() || vm.truth(a[2])?;
            let mut buf = vec![0u8; 65536];
            // SAFETY: C strings, and a buffer as long as said.
            let n = unsafe {
                let (at, n) = (buf.as_mut_ptr().cast(), buf.len());
                match p.fd {
                    Some(fd) => libc::fgetxattr(fd, name.ptr(), at, n),
                    None if follow => libc::getxattr(p.ptr(), name.ptr(), at, n),
                    None => libc::lgetxattr(p.ptr(), name.ptr(), at, n),
                }
            };
            if n < 0 {
                return Err(fs::last_error(vm, p.shown));
            }
            Ok(vm.new_bytes(&buf[..n as usize]))
        },
    ),
    def(
        "setxattr",
        "(path, attribute, value, flags=0, *, follow_symlinks=True)",
        ANY,
        |vm, a| {
            let p = super::path_or_fd(vm, a[0], "setxattr")?;
            let name = plain_path(vm, a[1], "setxattr")?;
            let Some(b) = vm.buffer(a[2]) else {
                let m = format!(
                    "a bytes-like object is required, not '{}'",
                    vm.class_name(a[2])
                );
                return Err(vm.type_error(&m));
            };
            let flags = c_int_or(vm, a[3], 0)?;
            let follow = a[4].is_null() || vm.truth(a[4])?;
            // SAFETY: C strings and a live slice.
            let r = unsafe {
                let (at, n) = (b.as_ptr().cast(), b.len());
                match p.fd {
                    Some(fd) => libc::fsetxattr(fd, name.ptr(), at, n, flags),
                    None if follow => libc::setxattr(p.ptr(), name.ptr(), at, n, flags),
                    None => libc::lsetxattr(p.ptr(), name.ptr(), at, n, flags),
                }
            };
            done(vm, r, p.shown)
        },
    ),
    def(
        "removexattr",
        "(path, attribute, *, follow_symlinks=True)",
        ANY,
        |vm, a| {
            let p = super::path_or_fd(vm, a[0], "removexattr")?;
            let name = plain_path(vm, a[1], "removexattr")?;
            let follow = a[2].is_null() || vm.truth(a[2])?;
            // SAFETY: C strings.
            let r = unsafe {
                match p.fd {
                    Some(fd) => libc::fremovexattr(fd, name.ptr()),
                    None if follow => libc::removexattr(p.ptr(), name.ptr()),
                    None => libc::lremovexattr(p.ptr(), name.ptr()),
                }
            };
            done(vm, r, p.shown)
        },
    ),
    def(
        "listxattr",
        "(path=None, *, follow_symlinks=True)",
        ANY,
        |vm, a| {
            let p = if a[0].is_null() || a[0] == vm.none {
                let dot = vm.new_str(".");
                super::path_or_fd(vm, dot, "listxattr")?
            } else {
                super::path_or_fd(vm, a[0], "listxattr")?
            };
            let follow = a[1].is_null() || vm.truth(a[1])?;
            let mut buf = vec![0u8; 65536];
            // SAFETY: a C string, and a buffer as long as said.
            let n = unsafe {
                let (at, n) = (buf.as_mut_ptr().cast(), buf.len());
                match p.fd {
                    Some(fd) => libc::flistxattr(fd, at, n),
                    None if follow => libc::listxattr(p.ptr(), at, n),
                    None => libc::llistxattr(p.ptr(), at, n),
                }
            };
            if n < 0 {
                return Err(fs::last_error(vm, p.shown));
            }
            let list = vm.new_list(&[]);
            for name in buf[..n as usize]
                .split(|&b| b == 0)
                .filter(|n| !n.is_empty())
            {
                let s = fs::decode(vm, name);
                vm.list_append(list, s);
            }
            Ok(list)
        },
    ),
    // Anonymous files, terminals.
    def("memfd_create", "(name, flags=1)", ANY, |vm, a| {
        let name = plain_path(vm, a[0], "memfd_create")?;
        let flags = c_int_or(vm, a[1], 1)?;
        // SAFETY: a C string.
        let r = unsafe { libc::memfd_create(name.ptr(), flags as u32) };
        descriptor(vm, r)
    }),
    def("eventfd", "(initval, flags=524288)", ANY, |vm, a| {
        let n = c_int(vm, a[0])?;
        let flags = c_int_or(vm, a[1], libc::EFD_CLOEXEC)?;
        // SAFETY: plain numbers.
        let r = unsafe { libc::eventfd(n as u32, flags) };
        descriptor(vm, r)
    }),
    def("eventfd_read", "(fd)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        let mut n = 0u64;
        // SAFETY: writes one number.
        let r = fs::retry(vm, || unsafe { libc::read(fd, (&raw mut n).cast(), 8) })?;
        counted(vm, r)?;
        Ok(vm.new_uint(n))
    }),
    def("eventfd_write", "(fd, value)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        let n = c_long(vm, a[1])? as u64;
        // SAFETY: reads one number.
        let r = fs::retry(vm, || unsafe { libc::write(fd, (&raw const n).cast(), 8) })?;
        nothing(vm, r)
    }),
    def("getrandom", "(size, flags=0)", ANY, |vm, a| {
        let n = c_long(vm, a[0])?;
        let Ok(n) = usize::try_from(n) else {
            return Err(fs::os_error(vm, libc::EINVAL, Value::NULL, Value::NULL));
        };
        let flags = c_int_or(vm, a[1], 0)? as u32;
        let mut buf = vec![0u8; n];
        // SAFETY: the buffer is as long as said.
        let r = fs::retry(vm, || unsafe {
            libc::getrandom(buf.as_mut_ptr().cast(), n, flags)
        })?;
        match r {
            Ok(k) => Ok(vm.new_bytes(&buf[..k])),
            Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
        }
    }),
    def("openpty", "()", ANY, |vm, _| {
        let (mut x, mut y) = (0, 0);
        // SAFETY: writes two numbers.
        let r = unsafe {
            libc::openpty(
                &mut x,
                &mut y,
                std::ptr::null_mut(),
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        if r != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        for fd in [x, y] {
            // SAFETY: plain numbers.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        Ok(vm.new_tuple(&[Value::small(x), Value::small(y)]))
    }),
    def("login_tty", "(fd, /)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        // SAFETY: plain numbers.
        let r = unsafe { libc::login_tty(fd) };
        done(vm, r, Value::NULL)
    }),
    def("ttyname", "(fd, /)", ANY, |vm, a| {
        let fd = c_int(vm, a[0])?;
        let mut buf = [0u8; 4096];
        // SAFETY: the buffer is as long as said.
        let e = unsafe { libc::ttyname_r(fd, buf.as_mut_ptr().cast(), buf.len()) };
        if e != 0 {
            return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
        }
        let n = buf.iter().position(|&b| b == 0).unwrap_or(0);
        Ok(fs::decode(vm, &buf[..n]))
    }),
    def("ctermid", "()", ANY, |vm, _| Ok(vm.new_str("/dev/tty"))),
    def("tcgetpgrp", "(fd, /)", ANY, |vm, a| {
        super::children::one(vm, a[0], libc::tcgetpgrp)
    }),
    def("tcsetpgrp", "(fd, pgid, /)", ANY, |vm, a| {
        super::children::two(vm, a, libc::tcsetpgrp)
    }),
];

static CONSTANTS: &[(&str, i64)] = &[
    ("EFD_CLOEXEC", libc::EFD_CLOEXEC as i64),
    ("EFD_NONBLOCK", libc::EFD_NONBLOCK as i64),
    ("EFD_SEMAPHORE", libc::EFD_SEMAPHORE as i64),
    ("MFD_CLOEXEC", libc::MFD_CLOEXEC as i64),
    ("MFD_ALLOW_SEALING", libc::MFD_ALLOW_SEALING as i64),
    ("MFD_HUGETLB", libc::MFD_HUGETLB as i64),
    ("MFD_HUGE_SHIFT", 26),
    ("MFD_HUGE_MASK", 63),
    ("POSIX_FADV_NORMAL", 0),
    ("POSIX_FADV_RANDOM", 1),
    ("POSIX_FADV_SEQUENTIAL", 2),
    ("POSIX_FADV_WILLNEED", 3),
    ("POSIX_FADV_DONTNEED", 4),
    ("POSIX_FADV_NOREUSE", 5),
    ("RWF_HIPRI", libc::RWF_HIPRI as i64),
    ("RWF_DSYNC", libc::RWF_DSYNC as i64),
    ("RWF_SYNC", libc::RWF_SYNC as i64),
    ("RWF_NOWAIT", libc::RWF_NOWAIT as i64),
    ("RWF_APPEND", libc::RWF_APPEND as i64),
    ("SCHED_RESET_ON_FORK", 0x4000_0000),
    ("SPLICE_F_MOVE", 1),
    ("SPLICE_F_NONBLOCK", 2),
    ("SPLICE_F_MORE", 4),
    ("ST_NODEV", 4),
    ("ST_NOEXEC", 8),
    ("ST_SYNCHRONOUS", 16),
    ("ST_MANDLOCK", 64),
    ("ST_WRITE", 128),
    ("ST_APPEND", 256),
    ("ST_NOATIME", 1024),
    ("ST_NODIRATIME", 2048),
    ("ST_RELATIME", 4096),
    ("XATTR_CREATE", 1),
    ("XATTR_REPLACE", 2),
    ("XATTR_SIZE_MAX", 65536),
];

static PATHCONF: &[(&str, i32)] = &[
    ("PC_LINK_MAX", libc::_PC_LINK_MAX),
    ("PC_MAX_CANON", libc::_PC_MAX_CANON),
    ("PC_MAX_INPUT", libc::_PC_MAX_INPUT),
    ("PC_NAME_MAX", libc::_PC_NAME_MAX),
    ("PC_PATH_MAX", libc::_PC_PATH_MAX),
    ("PC_PIPE_BUF", libc::_PC_PIPE_BUF),
    ("PC_CHOWN_RESTRICTED", libc::_PC_CHOWN_RESTRICTED),
    ("PC_NO_TRUNC", libc::_PC_NO_TRUNC),
    ("PC_VDISABLE", libc::_PC_VDISABLE),
    ("PC_FILESIZEBITS", libc::_PC_FILESIZEBITS),
    ("PC_SYMLINK_MAX", libc::_PC_SYMLINK_MAX),
];

static CONFSTR: &[(&str, i32)] = &[
    ("CS_PATH", libc::_CS_PATH),
    ("CS_GNU_LIBC_VERSION", libc::_CS_GNU_LIBC_VERSION),
    (
        "CS_GNU_LIBPTHREAD_VERSION",
        libc::_CS_GNU_LIBPTHREAD_VERSION,
    ),
];

/// A user's or group's number; -1 leaves it as it is.
fn id(vm: &mut Vm, v: Value, what: &str) -> R<u32> {
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(n @ -1..=0xFFFF_FFFF) => Ok(n as u32),
        Some(n) if n < 0 => Err(vm.overflow_error(&format!("{what} is less than minimum"))),
        _ => Err(vm.overflow_error(&format!("{what} is greater than maximum"))),
    }
}

fn ids(vm: &mut Vm, a: &[Value], f: impl FnOnce(&[u32; 3]) -> i32) -> R {
    let mut v = [0; 3];
    for (slot, &x) in v.iter_mut().zip(a) {
        *slot = id(vm, x, "uid")?;
    }
    let r = f(&v);
    done(vm, r, Value::NULL)
}

fn triple(vm: &mut Vm, f: impl FnOnce(&mut [u32; 3]) -> i32) -> R {
    let mut v = [0; 3];
    if f(&mut v) != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.new_tuple(&v.map(|n| Value::int_unchecked(n.into()))))
}

fn groups(vm: &mut Vm, n: i32, all: &[u32]) -> R {
    if n < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    let list = vm.new_list(&[]);
    for &g in &all[..n as usize] {
        vm.list_append(list, Value::int_unchecked(g.into()));
    }
    Ok(list)
}

fn param(vm: &mut Vm, v: Value) -> R<libc::sched_param> {
    let class = Gc::from_value(vm.statics[slots::SCHED_PARAM]);
    if !vm.is_instance(v, class) {
        return Err(vm.type_error("must have a sched_param object"));
    }
    let p = vm.getattr_str(v, "sched_priority")?;
    Ok(libc::sched_param {
        sched_priority: c_int(vm, p)?,
    })
}

/// The buffers of a sequence, for a call that reads them.
fn vectors(vm: &mut Vm, v: Value, function: &str) -> R<Vec<libc::iovec>> {
    let list = sequence(vm, v, function)?;
    let mut out = Vec::new();
    for i in 0..vm.list_len(list) {
        let item = vm.list_get(list, i);
        let Some(b) = vm.buffer(item) else {
            let m = format!(
                "a bytes-like object is required, not '{}'",
                vm.class_name(item)
            );
            return Err(vm.type_error(&m));
        };
        out.push(libc::iovec {
            iov_base: b.as_ptr().cast_mut().cast(),
            iov_len: b.len(),
        });
    }
    Ok(out)
}

fn sequence(vm: &mut Vm, v: Value, function: &str) -> R {
    let class = vm.class_of(v);
    if vm.lookup(class, vm.names.getitem).is_null() {
        let m = format!("{function}() arg 2 must be a sequence");
        return Err(vm.type_error(&m));
    }
    vm.list_from_iterable(v)
}

/// Reads once, and spreads what came over the buffers of a sequence.
fn read_vectors(
    vm: &mut Vm,
    v: Value,
    function: &str,
    mut read: impl FnMut(&mut [u8]) -> isize,
) -> R {
    let list = sequence(vm, v, function)?;
    let mut total = 0;
    for i in 0..vm.list_len(list) {
        total += vm.len(vm.list_get(list, i))?;
    }
    let mut bytes = vec![0u8; total];
    let n = match fs::retry(vm, || read(&mut bytes))? {
        Ok(n) => n,
        Err(e) => return Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    };
    let mut at = 0;
    for i in 0..vm.list_len(list) {
        let item = vm.list_get(list, i);
        let room = vm.len(item)?.min(n - at);
        if room == 0 {
            continue;
        }
        let part = vm.new_bytes(&bytes[at..at + room]);
        let (zero, end, none) = (Value::small(0), Value::int_unchecked(room as i64), vm.none);
        let slice = vm.new_slice(zero, end, none);
        vm.setitem(item, slice, part)?;
        at += room;
    }
    Ok(Value::int_unchecked(n as i64))
}

fn counted(vm: &mut Vm, r: Result<usize, i32>) -> R {
    match r {
        Ok(n) => Ok(Value::int_unchecked(n as i64)),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

fn nothing(vm: &mut Vm, r: Result<usize, i32>) -> R {
    counted(vm, r)?;
    Ok(vm.none)
}

/// The outcome of a call that returns its error number.
fn failed(vm: &mut Vm, e: i32) -> R {
    if e == 0 {
        Ok(vm.none)
    } else {
        Err(fs::os_error(vm, e, Value::NULL, Value::NULL))
    }
}

fn descriptor(vm: &mut Vm, r: i32) -> R {
    if r < 0 {
        Err(fs::last_error(vm, Value::NULL))
    } else {
        Ok(Value::small(r))
    }
}

fn offset(vm: &mut Vm, v: Value) -> R<Option<i64>> {
    if v.is_null() || v == vm.none {
        Ok(None)
    } else {
        Ok(Some(c_long(vm, v)?))
    }
}

fn pointer(at: &mut Option<i64>) -> *mut i64 {
    at.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

fn conf_name(vm: &mut Vm, v: Value, table: &[(&str, i32)]) -> R<i32> {
    let Some(s) = vm.as_str(v) else {
        if vm.is_int(v) {
            return c_int(vm, v);
        }
        return Err(vm.type_error("configuration names must be strings or integers"));
    };
    let name = vm.str_to_string(s);
    match table.iter().find(|(k, _)| *k == name) {
        Some(&(_, n)) => Ok(n),
        None => Err(vm.value_error("unrecognized configuration name")),
    }
}

/// A limit, where -1 may mean that there is none.
fn limit(vm: &mut Vm, shown: Value, f: impl FnOnce() -> i64) -> R {
    // SAFETY: this thread's error number.
    unsafe { *libc::__errno_location() = 0 };
    let n = f();
    if n == -1 && fs::last_errno() != 0 {
        return Err(fs::last_error(vm, shown));
    }
    Ok(vm.new_int(n))
}

/// Adds functions and constants to the module.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let name = vm.intern("posix");
    for f in FUNCTIONS {
        let v = vm.native_function(f, Value::NULL, Value::NULL, name);
        set(vm, m, f.name, v);
    }
    for &(name, n) in CONSTANTS {
        set(vm, m, name, Value::int_unchecked(n));
    }
    for (name, table) in [("pathconf_names", PATHCONF), ("confstr_names", CONFSTR)] {
        let d = vm.new_dict();
        for &(k, n) in table {
            let k = vm.intern(k);
            vm.dict_set_str(d, k, Value::small(n));
        }
        set(vm, m, name, d);
    }
}
