//! The `pwd` and `grp` modules: the system's users and groups.

use crate::{fs, module, set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::ffi::CStr;

const ANY: u8 = effects::ANY;

static PWD: &[NativeDef] = &[
    def("getpwuid", "(uidobj, /)", ANY, |vm, a| {
        let i = vm.index(a[0])?;
        let uid = vm.int_to_i64(i).and_then(|n| {
            if n == -1 {
                Some(u32::MAX)
            } else {
                u32::try_from(n).ok()
            }
        });
        // SAFETY: the answer is read before the next call.
        let p = uid.map_or(std::ptr::null_mut(), |u| unsafe { libc::getpwuid(u) });
        if p.is_null() {
            let m = format!("getpwuid(): uid not found: {}", vm.int_to_text(i)?);
            let m = vm.new_str(&m);
            return Err(vm.key_error(m));
        }
        Ok(user(vm, p))
    }),
    def("getpwnam", "(name, /)", ANY, |vm, a| {
        let name = name(vm, a[0], "getpwnam")?;
        // SAFETY: a C string; the answer is read before the next call.
        let p = unsafe { libc::getpwnam(name.as_ptr()) };
        if p.is_null() {
            let m = format!("getpwnam(): name not found: {}", vm.repr_string(a[0])?);
            let m = vm.new_str(&m);
            return Err(vm.key_error(m));
        }
        Ok(user(vm, p))
    }),
    def("getpwall", "()", ANY, |vm, _| {
        let l = vm.new_list(&[]);
        // SAFETY: walks the database; one thread at a time holds the VM.
        unsafe {
            libc::setpwent();
            loop {
                let p = libc::getpwent();
                if p.is_null() {
                    break;
                }
                let u = user(vm, p);
                vm.list_append(l, u);
            }
            libc::endpwent();
        }
        Ok(l)
    }),
];

static GRP: &[NativeDef] = &[
    def("getgrgid", "(id)", ANY, |vm, a| {
        let i = vm.index(a[0])?;
        let gid = vm.int_to_i64(i).and_then(|n| {
            if n == -1 {
                Some(u32::MAX)
            } else {
                u32::try_from(n).ok()
            }
        });
        // SAFETY: the answer is read before the next call.
        let g = gid.map_or(std::ptr::null_mut(), |u| unsafe { libc::getgrgid(u) });
        if g.is_null() {
            let m = format!("getgrgid(): gid not found: {}", vm.int_to_text(i)?);
            let m = vm.new_str(&m);
            return Err(vm.key_error(m));
        }
        Ok(group(vm, g))
    }),
    def("getgrnam", "(name)", ANY, |vm, a| {
        let name = name(vm, a[0], "getgrnam")?;
        // SAFETY: a C string; the answer is read before the next call.
        let g = unsafe { libc::getgrnam(name.as_ptr()) };
        if g.is_null() {
            let m = format!("getgrnam(): name not found: {}", vm.repr_string(a[0])?);
            let m = vm.new_str(&m);
            return Err(vm.key_error(m));
        }
        Ok(group(vm, g))
    }),
    def("getgrall", "()", ANY, |vm, _| {
        let l = vm.new_list(&[]);
        // SAFETY: walks the database; one thread at a time holds the VM.
        unsafe {
            libc::setgrent();
            loop {
                let g = libc::getgrent();
                if g.is_null() {
                    break;
                }
                let v = group(vm, g);
                vm.list_append(l, v);
            }
            libc::endgrent();
        }
        Ok(l)
    }),
];

fn name(vm: &mut Vm, v: Value, who: &str) -> R<std::ffi::CString> {
    let Some(s) = vm.as_str(v) else {
        let m = format!("{who}() argument must be str, not {}", vm.class_name(v));
        return Err(vm.type_error(&m));
    };
    let b = fs::encode(vm.text(s));
    std::ffi::CString::new(b).map_err(|_| vm.value_error("embedded null byte"))
}

/// # Safety
/// `p` is null or a C string.
unsafe fn text(vm: &mut Vm, p: *const libc::c_char) -> Value {
    if p.is_null() {
        return vm.none;
    }
    // SAFETY: see above.
    let b = unsafe { CStr::from_ptr(p) }.to_bytes().to_vec();
    fs::decode(vm, &b)
}

/// An id as Python has it: -1 for the largest.
fn id(n: u32) -> Value {
    if n == u32::MAX {
        Value::small(-1)
    } else {
        Value::int_unchecked(n.into())
    }
}

fn user(vm: &mut Vm, p: *const libc::passwd) -> Value {
    // SAFETY: an entry of the user database, whose strings are C strings.
    let items = unsafe {
        let p = &*p;
        [
            text(vm, p.pw_name),
            text(vm, p.pw_passwd),
            id(p.pw_uid),
            id(p.pw_gid),
            text(vm, p.pw_gecos),
            text(vm, p.pw_dir),
            text(vm, p.pw_shell),
        ]
    };
    let class = Gc::from_value(vm.statics[slots::STRUCT_PASSWD]);
    structseq::new(vm, class, &items)
}

fn group(vm: &mut Vm, g: *const libc::group) -> Value {
    let members = vm.new_list(&[]);
    // SAFETY: an entry of the group database; its members end with null.
    let items = unsafe {
        let g = &*g;
        let mut m = g.gr_mem;
        while !m.is_null() && !(*m).is_null() {
            let t = text(vm, *m);
            vm.list_append(members, t);
            m = m.add(1);
        }
        [
            text(vm, g.gr_name),
            text(vm, g.gr_passwd),
            id(g.gr_gid),
            members,
        ]
    };
    let class = Gc::from_value(vm.statics[slots::STRUCT_GROUP]);
    structseq::new(vm, class, &items)
}

/// Makes `pwd`.
pub fn make_pwd(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "pwd",
        "This module provides access to the Unix password database.",
        PWD,
    );
    let fields = [
        "pw_name",
        "pw_passwd",
        "pw_uid",
        "pw_gid",
        "pw_gecos",
        "pw_dir",
        "pw_shell",
    ];
    let c = structseq::new_class(vm, "pwd", "struct_passwd", &fields, &[], true);
    vm.statics[slots::STRUCT_PASSWD] = c.value();
    set(vm, m, "struct_passwd", c.value());
    Ok(m)
}

/// Makes `grp`.
pub fn make_grp(vm: &mut Vm) -> R {
    let m = module(vm, "grp", "Access to the Unix group database.", GRP);
    let fields = ["gr_name", "gr_passwd", "gr_gid", "gr_mem"];
    let c = structseq::new_class(vm, "grp", "struct_group", &fields, &[], true);
    vm.statics[slots::STRUCT_GROUP] = c.value();
    set(vm, m, "struct_group", c.value());
    Ok(m)
}
