//! Functions of the module, and messages with ancillary data.

use super::addr::{self, Address, gai_error};
use super::{ANY, call, patience};
use crate::{args, fs, slots};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def};
use pyrite_objects::vm::{R, Vm};
use std::ffi::{CStr, CString};

pub(super) static FUNCTIONS: &[NativeDef] = &[
    def("close", "(fd, /)", ANY, |vm, a| {
        let fd = fs::c_int(vm, a[0])?;
        // SAFETY: closes a number.
        if unsafe { libc::close(fd) } < 0 && fs::last_errno() != libc::ECONNRESET {
            return Err(fs::last_error(vm, Value::NULL));
        }
        Ok(vm.none)
    }),
    def("dup", "(fd, /)", ANY, |vm, a| {
        let fd = fs::c_int(vm, a[0])?;
        // SAFETY: copies a number.
        let n = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        if n < 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        Ok(Value::small(n))
    }),
    def(
        "socketpair",
        "(family=AF_UNIX, type=SOCK_STREAM, proto=0, /)",
        ANY,
        |vm, a| {
            let family = fs::c_int_or(vm, a[0], libc::AF_UNIX)?;
            let kind = fs::c_int_or(vm, a[1], libc::SOCK_STREAM)?;
            let proto = fs::c_int_or(vm, a[2], 0)?;
            let mut fds = [0; 2];
            // SAFETY: room for two descriptors.
            let r = unsafe {
                libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, fds.as_mut_ptr())
            };
            if r < 0 {
                return Err(fs::last_error(vm, Value::NULL));
            }
            let m = crate::module_attr(vm, "_socket", "socket");
            let mut pair = [Value::NULL; 2];
            for (v, fd) in pair.iter_mut().zip(fds) {
                let args = [family, kind, proto, fd].map(Value::small);
                *v = vm.call(m, &args)?;
            }
            Ok(vm.new_tuple(&pair))
        },
    ),
    def("getdefaulttimeout", "()", ANY, |vm, _| {
        let t = vm.statics[slots::SOCKET_TIMEOUT];
        Ok(if t.is_null() { vm.none } else { t })
    }),
    def("setdefaulttimeout", "(timeout, /)", ANY, |vm, a| {
        let t = super::timeout_arg(vm, a[0])?;
        vm.statics[slots::SOCKET_TIMEOUT] = t;
        Ok(vm.none)
    }),
    def("gethostname", "()", ANY, |vm, _| {
        let mut b = [0u8; 256];
        // SAFETY: room for the length given.
        if unsafe { libc::gethostname(b.as_mut_ptr().cast(), b.len() - 1) } < 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        let n = b.iter().position(|&c| c == 0).unwrap_or(0);
        Ok(fs::decode(vm, &b[..n]))
    }),
    def("gethostbyname", "(host, /)", ANY, |vm, a| {
        let pair = vm.new_tuple(&[a[0], Value::small(0)]);
        let found = addr::parse(vm, libc::AF_INET, pair, "gethostbyname")?;
        let shown = addr::show(vm, &found);
        Ok(vm.tuple_get(shown, 0))
    }),
    def("gethostbyname_ex", "(host, /)", ANY, |vm, a| {
        let pair = vm.new_tuple(&[a[0], Value::small(0)]);
        let found = addr::parse(vm, libc::AF_INET, pair, "gethostbyname_ex")?;
        let shown = addr::show(vm, &found);
        let ip = vm.tuple_get(shown, 0);
        let (aliases, list) = (vm.new_list(&[]), vm.new_list(&[ip]));
        Ok(vm.new_tuple(&[a[0], aliases, list]))
    }),
    def("gethostbyaddr", "(host, /)", ANY, |vm, a| {
        let pair = vm.new_tuple(&[a[0], Value::small(0)]);
        let found = addr::parse(vm, libc::AF_INET, pair, "gethostbyaddr")?;
        let names = name_info(vm, &found, libc::NI_NAMEREQD)?;
        let shown = addr::show(vm, &found);
        let ip = vm.tuple_get(shown, 0);
        let (aliases, list) = (vm.new_list(&[]), vm.new_list(&[ip]));
        Ok(vm.new_tuple(&[vm.tuple_get(names, 0), aliases, list]))
    }),
    def(
        "getaddrinfo",
        "(host, port, family=0, type=0, proto=0, flags=0)",
        ANY,
        getaddrinfo,
    ),
    def("getnameinfo", "(sockaddr, flags, /)", ANY, |vm, a| {
        let flags = fs::c_int(vm, a[1])?;
        let Some(t) = vm.as_tuple(a[0]) else {
            return Err(vm.type_error("getnameinfo() argument 1 must be a tuple"));
        };
        let family = if vm.tuple_len(t) == 2 {
            let host = vm.tuple_get(t, 0);
            if vm.str_to_string(host).contains(':') {
                libc::AF_INET6
            } else {
                libc::AF_INET
            }
        } else {
            libc::AF_INET6
        };
        let found = addr::parse(vm, family, a[0], "getnameinfo")?;
        name_info(vm, &found, flags)
    }),
    def(
        "getservbyname",
        "(servicename, protocolname=None, /)",
        ANY,
        |vm, a| {
            let name = addr::host_name(vm, a[0])?;
            let proto = optional_name(vm, a[1])?;
            // SAFETY: C strings; the answer is read before the next call.
            let port = unsafe {
                let s = libc::getservbyname(
                    name.as_ptr(),
                    proto.as_ref().map_or(std::ptr::null(), |p| p.as_ptr()),
                );
                if s.is_null() {
                    None
                } else {
                    Some(u16::from_be((*s).s_port as u16))
                }
            };
            match port {
                Some(p) => Ok(Value::small(p.into())),
                None => {
                    let class = vm.types.os_error;
                    Err(vm.raise_str(class, "service/proto not found"))
                }
            }
        },
    ),
    def(
        "getservbyport",
        "(port, protocolname=None, /)",
        ANY,
        |vm, a| {
            let port = fs::c_int(vm, a[0])?;
            let Ok(port) = u16::try_from(port) else {
                return Err(vm.overflow_error("getservbyport: port must be 0-65535."));
            };
            let proto = optional_name(vm, a[1])?;
            // SAFETY: as above.
            let name = unsafe {
                let s = libc::getservbyport(
                    port.to_be().into(),
                    proto.as_ref().map_or(std::ptr::null(), |p| p.as_ptr()),
                );
                if s.is_null() {
                    None
                } else {
                    Some(CStr::from_ptr((*s).s_name).to_bytes().to_vec())
                }
            };
            match name {
                Some(n) => Ok(fs::decode(vm, &n)),
                None => {
                    let class = vm.types.os_error;
                    Err(vm.raise_str(class, "port/proto not found"))
                }
            }
        },
    ),
    def("getprotobyname", "(name, /)", ANY, |vm, a| {
        let name = addr::host_name(vm, a[0])?;
        // SAFETY: a C string; the answer is read at once.
        let n = unsafe {
            let p = libc::getprotobyname(name.as_ptr());
            if p.is_null() {
                None
            } else {
                Some((*p).p_proto)
            }
        };
        match n {
            Some(n) => Ok(Value::small(n)),
            None => {
                let class = vm.types.os_error;
                Err(vm.raise_str(class, "protocol not found"))
            }
        }
    }),
    def("htons", "(integer, /)", ANY, |vm, a| {
        short(vm, a[0], "htons")
    }),
    def("ntohs", "(integer, /)", ANY, |vm, a| {
        short(vm, a[0], "ntohs")
    }),
    def("htonl", "(integer, /)", ANY, |vm, a| long(vm, a[0])),
    def("ntohl", "(integer, /)", ANY, |vm, a| long(vm, a[0])),
    def("inet_aton", "(ip_addr, /)", ANY, |vm, a| {
        let text = addr::host_name(vm, a[0])?;
        let mut ip = libc::in_addr { s_addr: 0 };
        // SAFETY: a C string and room for an address.
        if unsafe { inet_aton(text.as_ptr(), &mut ip) } == 0 {
            let class = vm.types.os_error;
            return Err(vm.raise_str(class, "illegal IP address string passed to inet_aton"));
        }
        Ok(vm.new_bytes(&ip.s_addr.to_ne_bytes()))
    }),
    def("inet_ntoa", "(packed_ip, /)", ANY, |vm, a| {
        let b = args::readable(vm, a[0])?;
        let Ok(four) = <[u8; 4]>::try_from(b) else {
            let class = vm.types.os_error;
            return Err(vm.raise_str(class, "packed IP wrong length"));
        };
        let text = std::net::Ipv4Addr::from(four).to_string();
        Ok(vm.new_str(&text))
    }),
    def("inet_pton", "(af, ip, /)", ANY, |vm, a| {
        let family = fs::c_int(vm, a[0])?;
        let text = vm.str_to_string(a[1]);
        let bytes = match family {
            libc::AF_INET => text
                .parse::<std::net::Ipv4Addr>()
                .ok()
                .map(|i| i.octets().to_vec()),
            libc::AF_INET6 => text
                .parse::<std::net::Ipv6Addr>()
                .ok()
                .map(|i| i.octets().to_vec()),
            _ => {
                return Err(fs::os_error(
                    vm,
                    libc::EAFNOSUPPORT,
                    Value::NULL,
                    Value::NULL,
                ));
            }
        };
        match bytes {
            Some(b) => Ok(vm.new_bytes(&b)),
            None => {
                let class = vm.types.os_error;
                Err(vm.raise_str(class, "illegal IP address string passed to inet_pton"))
            }
        }
    }),
    def("inet_ntop", "(af, packed_ip, /)", ANY, |vm, a| {
        let family = fs::c_int(vm, a[0])?;
        let b = args::readable(vm, a[1])?;
        let text = match family {
            libc::AF_INET => <[u8; 4]>::try_from(b)
                .ok()
                .map(|b| std::net::Ipv4Addr::from(b).to_string()),
            libc::AF_INET6 => <[u8; 16]>::try_from(b)
                .ok()
                .map(|b| std::net::Ipv6Addr::from(b).to_string()),
            _ => {
                let m = format!("unknown address family {family}");
                return Err(vm.value_error(&m));
            }
        };
        match text {
            Some(t) => Ok(vm.new_str(&t)),
            None => Err(vm.value_error("invalid length of packed IP address string")),
        }
    }),
    def("if_nameindex", "()", ANY, |vm, _| {
        let out = vm.new_list(&[]);
        // SAFETY: an array that ends with a null name, freed below.
        unsafe {
            let all = libc::if_nameindex();
            if all.is_null() {
                return Err(fs::last_error(vm, Value::NULL));
            }
            let mut p = all;
            while !(*p).if_name.is_null() {
                let name = CStr::from_ptr((*p).if_name).to_bytes().to_vec();
                let name = fs::decode(vm, &name);
                let t = vm.new_tuple(&[Value::int_unchecked((*p).if_index.into()), name]);
                vm.list_append(out, t);
                p = p.add(1);
            }
            libc::if_freenameindex(all);
        }
        Ok(out)
    }),
    def("if_nametoindex", "(if_name, /)", ANY, |vm, a| {
        let name = addr::host_name(vm, a[0])?;
        // SAFETY: a C string.
        match unsafe { libc::if_nametoindex(name.as_ptr()) } {
            0 => {
                let class = vm.types.os_error;
                Err(vm.raise_str(class, "no interface with this name"))
            }
            n => Ok(Value::int_unchecked(n.into())),
        }
    }),
    def("if_indextoname", "(if_index, /)", ANY, |vm, a| {
        let n = crate::binascii::mask(vm, a[0])?;
        let mut b = [0u8; libc::IF_NAMESIZE + 1];
        // SAFETY: room for a name.
        if unsafe { libc::if_indextoname(n, b.as_mut_ptr().cast()) }.is_null() {
            return Err(fs::last_error(vm, Value::NULL));
        }
        let k = b.iter().position(|&c| c == 0).unwrap_or(0);
        Ok(fs::decode(vm, &b[..k]))
    }),
    def("CMSG_LEN", "(length, /)", ANY, |vm, a| {
        let n = control_length(vm, a[0], "CMSG_LEN")?;
        // SAFETY: arithmetic.
        Ok(Value::int_unchecked(unsafe { libc::CMSG_LEN(n) }.into()))
    }),
    def("CMSG_SPACE", "(length, /)", ANY, |vm, a| {
        let n = control_length(vm, a[0], "CMSG_SPACE")?;
        // SAFETY: arithmetic.
        Ok(Value::int_unchecked(unsafe { libc::CMSG_SPACE(n) }.into()))
    }),
];

unsafe extern "C" {
    fn inet_aton(text: *const libc::c_char, to: *mut libc::in_addr) -> libc::c_int;
}

fn control_length(vm: &mut Vm, v: Value, who: &str) -> R<u32> {
    let n = args::ssize(vm, v)?;
    match u32::try_from(n) {
        Ok(n) if n < i32::MAX as u32 - 64 => Ok(n),
        _ => Err(vm.overflow_error(&format!("{who}() argument out of range"))),
    }
}

fn optional_name(vm: &mut Vm, v: Value) -> R<Option<CString>> {
    if v.is_null() || v == vm.none {
        return Ok(None);
    }
    addr::host_name(vm, v).map(Some)
}

fn short(vm: &mut Vm, v: Value, who: &str) -> R {
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(n) if n < 0 => Err(vm.overflow_error(&format!(
            "{who}: can't convert negative Python int to C 16-bit unsigned integer"
        ))),
        Some(n) if n <= 0xFFFF => Ok(Value::small(u16::from_be(n as u16).into())),
        _ => Err(vm.overflow_error(&format!(
            "{who}: Python int too large to convert to C 16-bit unsigned integer"
        ))),
    }
}

fn long(vm: &mut Vm, v: Value) -> R {
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(n) if n < 0 => Err(vm.overflow_error("can't convert negative value to unsigned int")),
        Some(n) if n <= 0xFFFF_FFFF => Ok(Value::int_unchecked(u32::from_be(n as u32).into())),
        _ => Err(vm.overflow_error("int larger than 32 bits")),
    }
}

/// `(host, service)` of an address.
fn name_info(vm: &mut Vm, a: &Address, flags: i32) -> R {
    let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
    // SAFETY: an address and two buffers of the lengths given.
    let r = unsafe {
        libc::getnameinfo(
            a.ptr(),
            a.len,
            host.as_mut_ptr().cast(),
            host.len() as libc::socklen_t,
            service.as_mut_ptr().cast(),
            service.len() as libc::socklen_t,
            flags,
        )
    };
    if r != 0 {
        return Err(gai_error(vm, r));
    }
    let mut parts = [Value::NULL; 2];
    for (v, b) in parts.iter_mut().zip([&host[..], &service[..]]) {
        let n = b.iter().position(|&c| c == 0).unwrap_or(0);
        *v = fs::decode(vm, &b[..n]);
    }
    Ok(vm.new_tuple(&parts))
}

fn getaddrinfo(vm: &mut Vm, a: &[Value]) -> R {
    let host = optional_name(vm, a[0])?;
    let port = if a[1] == vm.none {
        None
    } else if vm.is_int(a[1]) {
        let i = vm.index(a[1])?;
        let text = vm.int_to_text(i)?;
        CString::new(text).ok()
    } else if vm.is_str(a[1]) || vm.as_bytes(a[1]).is_some() {
        Some(addr::host_name(vm, a[1])?)
    } else {
        let class = vm.types.os_error;
        return Err(vm.raise_str(class, "Int or String expected"));
    };
    // SAFETY: zero is a good start for hints.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = fs::c_int_or(vm, a[2], 0)?;
    hints.ai_socktype = fs::c_int_or(vm, a[3], 0)?;
    hints.ai_protocol = fs::c_int_or(vm, a[4], 0)?;
    hints.ai_flags = fs::c_int_or(vm, a[5], 0)?;
    let ptr = |s: &Option<CString>| s.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
    let mut list = std::ptr::null_mut();
    // SAFETY: C strings or null, and structures that live across the call.
    let r = unsafe { libc::getaddrinfo(ptr(&host), ptr(&port), &hints, &mut list) };
    if r != 0 {
        return Err(gai_error(vm, r));
    }
    let out = vm.new_list(&[]);
    let mut p = list;
    // SAFETY: the list that getaddrinfo made, freed below.
    unsafe {
        while !p.is_null() {
            let e = &*p;
            let mut found = Address::empty();
            let n = (e.ai_addrlen as usize).min(size_of_val(&found.storage));
            std::ptr::copy_nonoverlapping(e.ai_addr.cast::<u8>(), found.mut_ptr().cast(), n);
            found.len = n as libc::socklen_t;
            let shown = addr::show(vm, &found);
            let name = if e.ai_canonname.is_null() {
                vm.empty_str
            } else {
                let b = CStr::from_ptr(e.ai_canonname).to_bytes().to_vec();
                fs::decode(vm, &b)
            };
            let t = vm.new_tuple(&[
                Value::small(e.ai_family),
                Value::small(e.ai_socktype),
                Value::small(e.ai_protocol),
                name,
                shown,
            ]);
            vm.list_append(out, t);
            p = e.ai_next;
        }
        libc::freeaddrinfo(list);
    }
    Ok(out)
}

/// `sendmsg(buffers[, ancdata[, flags[, address]]])`
pub(super) fn sendmsg(vm: &mut Vm, a: &[Value]) -> R {
    let rest = vm.tuple_items(a[2]);
    if rest.len() > 3 {
        let m = format!(
            "sendmsg expected at most 4 arguments, got {}",
            rest.len() + 1
        );
        return Err(vm.type_error(&m));
    }
    let buffers = vm.list_from_iterable(a[1])?;
    let mut data: Vec<u8> = Vec::new();
    for i in 0..vm.list_len(buffers) {
        data.extend_from_slice(args::readable(vm, vm.list_get(buffers, i))?);
    }
    let mut control: Vec<u64> = Vec::new();
    let mut control_len = 0;
    if let Some(&items) = rest.first() {
        let items = vm.list_from_iterable(items)?;
        for i in 0..vm.list_len(items) {
            let t = vm.tuple_from_iterable(vm.list_get(items, i))?;
            if vm.tuple_len(t) != 3 {
                return Err(vm.type_error("[sendmsg() ancillary data items] must be a tuple of 3"));
            }
            let level = fs::c_int(vm, vm.tuple_get(t, 0))?;
            let kind = fs::c_int(vm, vm.tuple_get(t, 1))?;
            let body = args::readable(vm, vm.tuple_get(t, 2))?.to_vec();
            let at = control_len / 8;
            // SAFETY: arithmetic.
            let (space, len) = unsafe {
                (
                    libc::CMSG_SPACE(body.len() as u32) as usize,
                    libc::CMSG_LEN(body.len() as u32) as usize,
                )
            };
            control_len += space;
            control.resize(control_len.div_ceil(8), 0);
            let head = libc::cmsghdr {
                cmsg_len: len,
                cmsg_level: level,
                cmsg_type: kind,
            };
            // SAFETY: `CMSG_SPACE` bytes at an aligned place hold header and body.
            unsafe {
                let p = control.as_mut_ptr().add(at).cast::<libc::cmsghdr>();
                p.write(head);
                std::ptr::copy_nonoverlapping(body.as_ptr(), libc::CMSG_DATA(p), body.len());
            }
        }
    }
    let flags = match rest.get(1) {
        Some(&f) => fs::c_int(vm, f)?,
        None => 0,
    };
    let to = match rest.get(2) {
        Some(&to) if to != vm.none => Some(addr::parse(vm, super::family(a[0]), to, "sendmsg")?),
        _ => None,
    };
    let p = patience(vm, a[0]);
    let n = call(vm, a[0], libc::POLLOUT, p, |fd| {
        let mut part = libc::iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: data.len(),
        };
        // SAFETY: zero is a good start; all parts live across the call.
        unsafe {
            let mut m: libc::msghdr = std::mem::zeroed();
            m.msg_iov = &mut part;
            m.msg_iovlen = 1;
            if control_len > 0 {
                m.msg_control = control.as_mut_ptr().cast();
                m.msg_controllen = control_len;
            }
            if let Some(to) = &to {
                m.msg_name = to.ptr().cast_mut().cast();
                m.msg_namelen = to.len;
            }
            libc::sendmsg(fd, &m, flags)
        }
    })?;
    Ok(vm.new_int(n as i64))
}

/// `recvmsg(bufsize[, ancbufsize[, flags]])`
pub(super) fn recvmsg(vm: &mut Vm, a: &[Value]) -> R {
    let n = args::ssize(vm, a[1])?;
    let room = if a[2].is_null() {
        0
    } else {
        args::ssize(vm, a[2])?
    };
    let flags = fs::c_int_or(vm, a[3], 0)?;
    if n < 0 {
        return Err(vm.value_error("negative buffer size in recvmsg()"));
    }
    if !(0..=i32::MAX as i64).contains(&room) {
        return Err(vm.value_error("invalid ancillary data buffer length"));
    }
    let mut data = vec![0u8; n as usize];
    let mut control = vec![0u64; (room as usize).div_ceil(8)];
    let mut from = Address::empty();
    let (mut got_flags, mut got_control, mut items) = (0, 0, Vec::new());
    let p = patience(vm, a[0]);
    let got = call(vm, a[0], libc::POLLIN, p, |fd| {
        let mut part = libc::iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: data.len(),
        };
        // SAFETY: zero is a good start; all parts live across the call.
        unsafe {
            let mut m: libc::msghdr = std::mem::zeroed();
            m.msg_iov = &mut part;
            m.msg_iovlen = 1;
            m.msg_name = from.mut_ptr().cast();
            m.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            m.msg_control = control.as_mut_ptr().cast();
            m.msg_controllen = room as usize;
            let r = libc::recvmsg(fd, &mut m, flags);
            if r >= 0 {
                from.len = m.msg_namelen;
                got_flags = m.msg_flags;
                got_control = m.msg_controllen;
                items.clear();
                let mut c = libc::CMSG_FIRSTHDR(&m);
                while !c.is_null() {
                    let body = libc::CMSG_DATA(c);
                    let end = control.as_ptr().cast::<u8>().add(got_control) as usize;
                    let len = ((*c).cmsg_len as usize)
                        .saturating_sub(libc::CMSG_LEN(0) as usize)
                        .min(end.saturating_sub(body as usize));
                    let bytes = std::slice::from_raw_parts(body, len).to_vec();
                    items.push(((*c).cmsg_level, (*c).cmsg_type, bytes));
                    c = libc::CMSG_NXTHDR(&m, c);
                }
            }
            r
        }
    })?;
    let list = vm.new_list(&[]);
    for (level, kind, body) in items {
        let body = vm.new_bytes(&body);
        let t = vm.new_tuple(&[Value::small(level), Value::small(kind), body]);
        vm.list_append(list, t);
    }
    let data = vm.new_bytes(&data[..got]);
    let from = addr::show(vm, &from);
    Ok(vm.new_tuple(&[data, list, Value::small(got_flags), from]))
}
