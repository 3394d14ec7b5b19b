//! Addresses: Python's tuples and names, and the system's structures.

use crate::fs;
use pyrite_machine::Value;
use pyrite_objects::vm::{R, Raised, Vm};
use std::ffi::{CStr, CString};

/// A socket address of any family.
#[derive(Clone, Copy)]
pub(super) struct Address {
    pub(super) storage: libc::sockaddr_storage,
    pub(super) len: libc::socklen_t,
}

impl Address {
    /// Room for an address.
    pub(super) fn empty() -> Address {
        Address {
            // SAFETY: plain numbers, for which zero is a value.
            storage: unsafe { std::mem::zeroed() },
            len: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }

    pub(super) fn ptr(&self) -> *const libc::sockaddr {
        std::ptr::from_ref(&self.storage).cast()
    }

    pub(super) fn mut_ptr(&mut self) -> *mut libc::sockaddr {
        std::ptr::from_mut(&mut self.storage).cast()
    }

    fn of<T>(value: T) -> Address {
        let mut a = Address::empty();
        assert!(
            size_of::<T>() <= size_of_val(&a.storage),
            "every address fits the storage"
        );
        // SAFETY: the storage is large enough and aligned for every family.
        unsafe { std::ptr::from_mut(&mut a.storage).cast::<T>().write(value) };
        a.len = size_of::<T>() as libc::socklen_t;
        a
    }
}

/// Raises `socket.gaierror`.
pub(super) fn gai_error(vm: &mut Vm, code: i32) -> Raised {
    if code == libc::EAI_SYSTEM {
        return fs::last_error(vm, Value::NULL);
    }
    // SAFETY: gai_strerror returns a static string.
    let text = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
    let text = vm.new_str(&text.to_string_lossy());
    let class = vm.statics[crate::slots::GAIERROR];
    match vm.call(class, &[Value::small(code), text]) {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// A host name as bytes: a string in IDNA, or bytes.
pub(super) fn host_name(vm: &mut Vm, v: Value) -> R<CString> {
    let bytes = if let Some(b) = vm.buffer(v) {
        b.to_vec()
    } else if let Some(s) = vm.as_str(v) {
        let t = vm.text(s);
        if t.iter().all(|c| c < 128) {
            t.iter().map(|c| c as u8).collect()
        } else {
            let encode = vm.intern("encode");
            let idna = vm.intern("idna");
            let b = vm.call_method(s, encode, &[idna])?;
            vm.buffer(b).unwrap_or_default().to_vec()
        }
    } else {
        let m = format!("str, bytes or bytearray expected, not {}", vm.class_name(v));
        return Err(vm.type_error(&m));
    };
    CString::new(bytes).map_err(|_| vm.type_error("host name must not contain null character"))
}

/// Looks a host up for one family.
fn resolve(vm: &mut Vm, host: &CStr, family: i32) -> R<Address> {
    let passive = host.is_empty();
    let broadcast = matches!(host.to_bytes(), b"<broadcast>" | b"255.255.255.255");
    if broadcast && family != libc::AF_INET6 {
        return Ok(v4(u32::MAX, 0));
    }
    if let Ok(ip) = host.to_string_lossy().parse::<std::net::Ipv4Addr>()
        && family == libc::AF_INET
    {
        return Ok(v4(u32::from(ip), 0));
    }
    // SAFETY: zero is a good start for hints.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = family;
    hints.ai_socktype = libc::SOCK_DGRAM;
    hints.ai_flags = if passive { libc::AI_PASSIVE } else { 0 };
    let (node, service) = if passive {
        (std::ptr::null(), c"0".as_ptr())
    } else {
        (host.as_ptr(), std::ptr::null())
    };
    let mut list = std::ptr::null_mut();
    // SAFETY: C strings and structures that live across the call.
    let code = unsafe { libc::getaddrinfo(node, service, &hints, &mut list) };
    if code != 0 {
        return Err(gai_error(vm, code));
    }
    let mut a = Address::empty();
    // SAFETY: a list that getaddrinfo made, with at least one address.
    unsafe {
        let len = ((*list).ai_addrlen as usize).min(size_of_val(&a.storage));
        std::ptr::copy_nonoverlapping((*list).ai_addr.cast::<u8>(), a.mut_ptr().cast(), len);
        a.len = len as libc::socklen_t;
        libc::freeaddrinfo(list);
    }
    Ok(a)
}

fn v4(ip: u32, port: u16) -> Address {
    // SAFETY: plain numbers.
    let mut a: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    a.sin_family = libc::AF_INET as libc::sa_family_t;
    a.sin_port = port.to_be();
    a.sin_addr.s_addr = ip.to_be();
    Address::of(a)
}

/// An address argument of a socket of this family; `who` is the caller's name.
pub(super) fn parse(vm: &mut Vm, family: i32, v: Value, who: &str) -> R<Address> {
    match family {
        libc::AF_UNIX => unix(vm, v),
        libc::AF_INET | libc::AF_INET6 => internet(vm, family, v, who),
        _ => {
            let m = format!("{who}(): bad family");
            let class = vm.types.os_error;
            Err(vm.raise_str(class, &m))
        }
    }
}

fn unix(vm: &mut Vm, v: Value) -> R<Address> {
    let path = if let Some(s) = vm.as_str(v) {
        fs::encode(vm.text(s))
    } else {
        crate::args::readable(vm, v)?.to_vec()
    };
    // SAFETY: plain numbers.
    let mut a: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    a.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let room = a.sun_path.len();
    // A name that starts with a zero byte is of no file, and may fill the room.
    let is_abstract = path.first() == Some(&0);
    if path.len() > room || !is_abstract && path.len() == room {
        let class = vm.types.os_error;
        return Err(vm.raise_str(class, "AF_UNIX path too long"));
    }
    for (to, &from) in a.sun_path.iter_mut().zip(&path) {
        *to = from as libc::c_char;
    }
    let head = std::mem::offset_of!(libc::sockaddr_un, sun_path);
    let mut address = Address::of(a);
    let zero = usize::from(!is_abstract && !path.is_empty());
    address.len = (head + path.len() + zero) as libc::socklen_t;
    Ok(address)
}

fn internet(vm: &mut Vm, family: i32, v: Value, who: &str) -> R<Address> {
    let v6 = family == libc::AF_INET6;
    let name = if v6 { "AF_INET6" } else { "AF_INET" };
    let Some(t) = vm.as_tuple(v) else {
        let m = format!(
            "{who}(): {name} address must be tuple, not {}",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    };
    let n = vm.tuple_len(t);
    let fits = if v6 { (2..=4).contains(&n) } else { n == 2 };
    if !fits {
        let m = if v6 {
            "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])".to_owned()
        } else {
            "AF_INET address must be a pair (host, port)".to_owned()
        };
        return Err(vm.type_error(&format!("{who}(): {m}")));
    }
    let host = host_name(vm, vm.tuple_get(t, 0))?;
    let port = vm.index(vm.tuple_get(t, 1))?;
    let port = vm.int_to_i64(port).and_then(|p| u16::try_from(p).ok());
    let number = |vm: &mut Vm, i: usize| -> R<u32> {
        if i < n {
            crate::binascii::mask(vm, vm.tuple_get(t, i))
        } else {
            Ok(0)
        }
    };
    let (flow, scope) = (number(vm, 2)?, number(vm, 3)?);
    let mut a = resolve(vm, &host, family)?;
    let Some(port) = port else {
        let m = format!("{who}(): port must be 0-65535.");
        return Err(vm.overflow_error(&m));
    };
    if flow > 0xF_FFFF {
        let m = format!("{who}(): flowinfo must be 0-1048575.");
        return Err(vm.overflow_error(&m));
    }
    // SAFETY: `resolve` answers with an address of the family.
    unsafe {
        if v6 {
            let p = a.mut_ptr().cast::<libc::sockaddr_in6>();
            (*p).sin6_port = port.to_be();
            (*p).sin6_flowinfo = flow.to_be();
            if scope != 0 {
                (*p).sin6_scope_id = scope;
            }
        } else {
            (*a.mut_ptr().cast::<libc::sockaddr_in>()).sin_port = port.to_be();
        }
    }
    Ok(a)
}

/// An address as Python sees it.
pub(super) fn show(vm: &mut Vm, a: &Address) -> Value {
    if a.len == 0 {
        return vm.none;
    }
    // SAFETY: the family tells which structure it is.
    unsafe {
        match i32::from(a.storage.ss_family) {
            libc::AF_INET => {
                let p = &*a.ptr().cast::<libc::sockaddr_in>();
                let ip = std::net::Ipv4Addr::from(u32::from_be(p.sin_addr.s_addr));
                let host = vm.new_str(&ip.to_string());
                let port = Value::small(u16::from_be(p.sin_port).into());
                vm.new_tuple(&[host, port])
            }
            libc::AF_INET6 => {
                let p = &*a.ptr().cast::<libc::sockaddr_in6>();
                let host = numeric_host(a);
                let host = vm.new_str(&host);
                let port = Value::small(u16::from_be(p.sin6_port).into());
                let flow = Value::int_unchecked(u32::from_be(p.sin6_flowinfo).into());
                let scope = Value::int_unchecked(p.sin6_scope_id.into());
                vm.new_tuple(&[host, port, flow, scope])
            }
            libc::AF_UNIX => {
                let p = &*a.ptr().cast::<libc::sockaddr_un>();
                let head = std::mem::offset_of!(libc::sockaddr_un, sun_path);
                let n = (a.len as usize).saturating_sub(head);
                let bytes: Vec<u8> = p.sun_path[..n.min(p.sun_path.len())]
                    .iter()
                    .map(|&c| c as u8)
                    .collect();
                if bytes.first() == Some(&0) {
                    return vm.new_bytes(&bytes);
                }
                let end = bytes.iter().position(|&c| c == 0).unwrap_or(bytes.len());
                fs::decode(vm, &bytes[..end])
            }
            family => {
                let n = (a.len as usize).saturating_sub(2);
                let data = std::slice::from_raw_parts(a.ptr().cast::<u8>().add(2), n).to_vec();
                let b = vm.new_bytes(&data);
                vm.new_tuple(&[Value::small(family), b])
            }
        }
    }
}

/// The host in numbers.
fn numeric_host(a: &Address) -> String {
    let mut host = [0 as libc::c_char; 1025];
    // SAFETY: an address and a buffer of the length given.
    let r = unsafe {
        libc::getnameinfo(
            a.ptr(),
            a.len,
            host.as_mut_ptr(),
            host.len() as libc::socklen_t,
            std::ptr::null_mut(),
            0,
            libc::NI_NUMERICHOST,
        )
    };
    if r != 0 {
        return String::new();
    }
    // SAFETY: a C string was written.
    unsafe { CStr::from_ptr(host.as_ptr()) }
        .to_string_lossy()
        .into_owned()
}
