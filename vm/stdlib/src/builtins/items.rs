//! Functions about containers, iterators, characters and texts of objects.

use pyrite_machine::Value;
use pyrite_objects::feed::{Fed, Feed, Loop};
use pyrite_objects::layout::Layout;
use pyrite_objects::vm::{R, Vm};

pub(super) fn all(vm: &mut Vm, a: &[Value]) -> R {
    let mut items = Feed::new(vm, a[0], Loop::All)?;
    loop {
        match items.next(vm, Value::NULL)? {
            Fed::Item(v) if !vm.truth(v)? => return Ok(vm.false_),
            Fed::Item(_) => {}
            Fed::End => return Ok(vm.true_),
            Fed::Done(answer) => return Ok(answer),
        }
        if vm.polled() {
            pyrite_objects::misc::run_pending(vm)?;
        }
    }
}

pub(super) fn any(vm: &mut Vm, a: &[Value]) -> R {
    let mut items = Feed::new(vm, a[0], Loop::Any)?;
    loop {
        match items.next(vm, Value::NULL)? {
            Fed::Item(v) if vm.truth(v)? => return Ok(vm.true_),
            Fed::Item(_) => {}
            Fed::End => return Ok(vm.false_),
            Fed::Done(answer) => return Ok(answer),
        }
        if vm.polled() {
            pyrite_objects::misc::run_pending(vm)?;
        }
    }
}

pub(super) fn chr(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index(a[0])?;
    let i = match vm.int_to_i64(i) {
        Some(i) if i32::try_from(i).is_ok() => i,
        Some(_) => {
            return Err(vm.overflow_error("Python int too large to convert to C int"));
        }
        None => return Err(vm.overflow_error("Python int too large to convert to C long")),
    };
    if !(0..0x11_0000).contains(&i) {
        return Err(vm.value_error("chr() arg not in range(0x110000)"));
    }
    Ok(vm.new_str_char(i as u32))
}

pub(super) fn ord(vm: &mut Vm, a: &[Value]) -> R {
    let (len, first) = if let Some(s) = vm.as_str(a[0]) {
        let t = vm.text(s);
        (t.len(), if t.is_empty() { 0 } else { t.at(0) })
    } else if let Some(b) = vm.bytes_as_number(a[0]) {
        (b.len(), b.first().copied().unwrap_or(0).into())
    } else {
        let m = format!(
            "ord() expected string of length 1, but {} found",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    };
    if len != 1 {
        let m = format!("ord() expected a character, but string of length {len} found");
        return Err(vm.type_error(&m));
    }
    Ok(Value::int_unchecked(first.into()))
}

pub(super) fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.hash(a[0])?;
    Ok(vm.new_int(h))
}

pub(super) fn len(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.len(a[0])?;
    Ok(vm.new_int(n as i64))
}

pub(super) fn iter(vm: &mut Vm, a: &[Value]) -> R {
    if a[1].is_null() {
        return vm.get_iter(a[0]);
    }
    if !crate::args::is_callable(vm, a[0]) {
        return Err(vm.type_error("iter(v, w): v must be callable"));
    }
    Ok(vm.new_call_iter(a[0], a[1]))
}

pub(super) fn aiter(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.names;
    let Some(it) = vm.call_special(a[0], n.aiter, &[])? else {
        let m = format!("'{}' object is not an async iterable", vm.class_name(a[0]));
        return Err(vm.type_error(&m));
    };
    if vm.lookup_on(it, n.anext).is_null() {
        let m = format!(
            "aiter() returned not an async iterator of type '{}'",
            vm.class_name(it)
        );
        return Err(vm.type_error(&m));
    }
    Ok(it)
}

pub(super) fn next(vm: &mut Vm, a: &[Value]) -> R {
    let it = a[0];
    let r = if vm.class_of(it) == vm.types.generator {
        let none = vm.none;
        vm.generator_send(it, none)
    } else {
        let n = vm.names.next;
        let f = vm.lookup_on(it, n);
        if f.is_null() {
            let m = format!("'{}' object is not an iterator", vm.class_name(it));
            return Err(vm.type_error(&m));
        }
        vm.call_method_value(f, it, &[])
    };
    if a[1].is_null() {
        return r;
    }
    let stop = vm.types.stop_iteration;
    Ok(vm.catch(r, stop)?.unwrap_or(a[1]))
}

/// Keywords are those of `list.sort`, which is what messages name.
pub(super) fn sorted(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.names;
    let (mut key, mut reverse) = (Value::NULL, false);
    let l = vm.list_from_iterable(a[0])?;
    let mut pos = 0;
    while let Some((k, v)) = vm.next_keyword(a[1], &mut pos) {
        if vm.str_eq(k, n.key) {
            key = if v == vm.none { Value::NULL } else { v };
        } else if vm.str_eq(k, n.reverse) {
            reverse = pyrite_objects::list::sort_flag(vm, v)?;
        } else {
            let k = vm.str_to_string(k);
            let m = format!("'{k}' is an invalid keyword argument for sort()");
            return Err(vm.type_error(&m));
        }
    }
    pyrite_objects::list::sort(vm, l, key, reverse)?;
    Ok(l)
}

pub(super) fn repr(vm: &mut Vm, a: &[Value]) -> R {
    vm.repr(a[0])
}

pub(super) fn ascii(vm: &mut Vm, a: &[Value]) -> R {
    let r = vm.repr(a[0])?;
    let text = vm.text(r);
    let mut out = String::with_capacity(text.len());
    for c in text.iter() {
        match c {
            0..=0x7F => out.push(c as u8 as char),
            0x80..=0xFF => out.push_str(&format!("\\x{c:02x}")),
            0x100..=0xFFFF => out.push_str(&format!("\\u{c:04x}")),
            _ => out.push_str(&format!("\\U{c:08x}")),
        }
    }
    Ok(vm.new_str(&out))
}

pub(super) fn format(vm: &mut Vm, a: &[Value]) -> R {
    if a[1].is_some() && !matches!(vm.layout_of(a[1]), Layout::Str | Layout::StrSub) {
        let m = format!(
            "format() argument 2 must be str, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    vm.format(a[0], a[1])
}
