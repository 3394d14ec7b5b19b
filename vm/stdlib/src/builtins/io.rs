//! `print` and `input`: through `sys.stdout` and `sys.stdin` when they are there,
//! else straight to the descriptors.

use pyrite_machine::Value;
use pyrite_objects::text::Text;
use pyrite_objects::vm::{R, Vm};
use std::io::{BufRead, Write};

/// A stream of `sys`, or null if `sys` has none (yet).
fn stream(vm: &Vm, name: Value) -> Value {
    if vm.sys_dict.is_null() {
        Value::NULL
    } else {
        vm.dict_get_str(vm.sys_dict, name)
    }
}

/// `sep` or `end`: null stands for the default.
fn separator(vm: &mut Vm, v: Value, name: &str, default: &str) -> R {
    if v.is_null() || v == vm.none {
        return Ok(vm.intern(default));
    }
    if !vm.is_str(v) {
        let m = format!("{name} must be None or a string, not {}", vm.class_name(v));
        return Err(vm.type_error(&m));
    }
    Ok(v)
}

/// Appends a text as UTF-8; lone surrogates as the bytes they escape, or `?`.
fn encode(out: &mut Vec<u8>, t: Text<'_>) {
    if let Text::One(b) = t
        && b.is_ascii()
    {
        out.extend_from_slice(b);
        return;
    }
    for c in t.iter() {
        match char::from_u32(c) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None if (0xDC80..=0xDCFF).contains(&c) => out.push(c as u8),
            None => out.push(b'?'),
        }
    }
}

pub(super) fn print(vm: &mut Vm, a: &[Value]) -> R {
    let args = vm.tuple_items(a[0]);
    let sep = separator(vm, a[1], "sep", " ")?;
    let end = separator(vm, a[2], "end", "\n")?;
    let mut file = a[3];
    if file.is_null() || file == vm.none {
        file = stream(vm, vm.names.stdout);
        if file.is_null() {
            return print_plain(vm, args, sep, end);
        }
        if file == vm.none {
            return Ok(vm.none);
        }
    }
    let write = vm.getattr(file, vm.names.write)?;
    for (i, &v) in args.iter().enumerate() {
        if i > 0 {
            vm.call(write, &[sep])?;
        }
        let s = vm.str(v)?;
        vm.call(write, &[s])?;
    }
    vm.call(write, &[end])?;
    if a[4].is_some() && vm.truth(a[4])? {
        vm.call_method(file, vm.names.flush, &[])?;
    }
    Ok(vm.none)
}

fn print_plain(vm: &mut Vm, args: &[Value], sep: Value, end: Value) -> R {
    let mut out = Vec::new();
    let text = |vm: &Vm, v: Value, out: &mut Vec<u8>| {
        if let Some(s) = vm.as_str(v) {
            encode(out, vm.text(s));
        }
    };
    for (i, &v) in args.iter().enumerate() {
        if i > 0 {
            text(vm, sep, &mut out);
        }
        let s = vm.str(v)?;
        text(vm, s, &mut out);
    }
    text(vm, end, &mut out);
    write_out(vm, &out)
}

/// Writes to descriptor 1.
fn write_out(vm: &mut Vm, bytes: &[u8]) -> R {
    let mut o = std::io::stdout().lock();
    if let Err(e) = o.write_all(bytes).and_then(|()| o.flush()) {
        let code = e.raw_os_error().unwrap_or(0);
        let text = vm.new_str(&e.to_string());
        let class = vm.types.os_error;
        return Err(vm.raise_args(class, &[Value::small(code), text]));
    }
    Ok(vm.none)
}

pub(super) fn input(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.names;
    let (stdin, stdout) = (stream(vm, n.stdin), stream(vm, n.stdout));
    for (v, name) in [(stdin, "stdin"), (stdout, "stdout")] {
        if !vm.sys_dict.is_null() && (v.is_null() || v == vm.none) {
            return Err(vm.runtime_error(&format!("input(): lost sys.{name}")));
        }
    }
    let prompt = if a[0].is_null() {
        vm.empty_str
    } else {
        vm.str(a[0])?
    };
    if stdin.is_null() {
        let mut out = Vec::new();
        if let Some(s) = vm.as_str(prompt) {
            encode(&mut out, vm.text(s));
        }
        write_out(vm, &out)?;
        let mut line = Vec::new();
        let got = std::io::stdin().lock().read_until(b'\n', &mut line);
        if !matches!(got, Ok(1..)) {
            return Err(vm.eof_error("EOF when reading a line"));
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        return Ok(vm.new_str(&String::from_utf8_lossy(&line)));
    }
    let errors = stream(vm, n.stderr);
    if errors.is_some() && errors != vm.none {
        let r = vm.call_method(errors, n.flush, &[]);
        if r.is_err() {
            vm.take_exc();
        }
    }
    if a[0].is_some() {
        vm.call_method(stdout, n.write, &[prompt])?;
    }
    let r = vm.call_method(stdout, n.flush, &[]);
    if r.is_err() {
        vm.take_exc();
    }
    let line = vm.call_method(stdin, n.readline, &[])?;
    let Some(s) = vm.as_str(line) else {
        return Err(vm.type_error("object.readline() returned non-string"));
    };
    let t = vm.text(s);
    match t.len() {
        0 => Err(vm.eof_error("EOF when reading a line")),
        k if t.at(k - 1) == 10 => Ok(vm.new_str_text(t.slice(0..k - 1))),
        _ => Ok(s),
    }
}
