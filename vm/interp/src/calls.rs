//! Calling Python functions: binding of arguments, entry from Rust.

use crate::frames;
use crate::lang::{Callee, Stage};
use crate::slow::Flow;
use crate::state::Hot;
use pyrite_bytecode::CodeFlags;
use pyrite_machine::{Value, header_word};
use pyrite_objects::code::CodeData;
use pyrite_objects::layout::{Gc, Layout, PyFunction, PyType};
use pyrite_objects::vm::{R, Raised, Vm};

/// A class as a callee: instantiation by allocation and a Python `__init__`.
pub fn class_callee(vm: &mut Vm, class: Value) -> Callee {
    let t: Gc<PyType> = Gc::from_value(class);
    let d = vm.type_data(t);
    if d.abstract_ || d.has_finalizer || d.layout != Layout::Object {
        return Callee::Other;
    }
    let memo = vm.type_memo(t);
    let meta = vm.class_of(class);
    if !memo.plain_new || meta != vm.types.type_ {
        return Callee::Other;
    }
    let init = vm.lookup(t, vm.names.init);
    if vm.layout_of(init) != Layout::Function {
        return Callee::Other;
    }
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*Gc::<PyFunction>::from_value(init).code_data.get() };
    if !code.is_plain() {
        return Callee::Other;
    }
    let s = vm.root_shape(t);
    let words = s.instance_words();
    Callee::Class {
        header: header_word(s.kind, words, s.id()),
        words,
        init,
        code,
    }
}

/// Binds arguments to the parameters of `func` and writes them into the
/// registers from `dst` on. `args` holds the positional ones, then those named
/// by the tuple `kwnames` (null: none).
///
/// # Errors
/// TypeError with CPython's texts.
pub fn bind(
    vm: &mut Vm,
    func: Gc<PyFunction>,
    args: &[Value],
    kwnames: Value,
    dst: *mut Value,
) -> R<()> {
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*func.code_data.get() };
    let nkw = if kwnames.is_some() {
        vm.tuple_len(kwnames)
    } else {
        0
    };
    let npos = args.len() - nkw;
    let argc = code.arg_count as usize;
    let kwonly = code.kwonly_count as usize;
    let total = argc + kwonly;
    let varargs = code.flags.has(CodeFlags::VARARGS);
    let varkw = code.flags.has(CodeFlags::VARKEYWORDS);
    let set = |i: usize, v: Value| {
        // SAFETY: parameters are the first registers of the window.
        unsafe { *dst.add(i) = v }
    };
    // SAFETY: as above.
    let get = |i: usize| unsafe { *dst.add(i) };
    if code.flags.has(CodeFlags::NAMESPACE) {
        // Module-level code made a function by the program: its variables are globals.
        set(0, func.globals.get());
    }
    let direct = npos.min(argc);
    for (i, &v) in args[..direct].iter().enumerate() {
        set(i, v);
    }
    let mut kwdict = Value::NULL;
    if varargs {
        let t = vm.new_tuple(&args[direct..npos]);
        set(total, t);
    }
    if varkw {
        kwdict = vm.new_dict();
        set(total + usize::from(varargs), kwdict);
    }
    if nkw > 0 {
        let names = vm.tuple_items(code.varnames);
        for k in 0..nkw {
            let name = vm.tuple_get(kwnames, k);
            let v = args[npos + k];
            let exact = vm.as_str(name).unwrap_or(name);
            let slot = (code.posonly_count as usize..total)
                .find(|&i| names[i] == exact || vm.str_eq(names[i], exact));
            match slot {
                Some(i) => {
                    if get(i).is_some() {
                        let m = format!(
                            "{}() got multiple values for argument '{}'",
                            vm.str_to_string(func.qualname.get()),
                            vm.str_to_string(name)
                        );
                        return Err(vm.type_error(&m));
                    }
                    set(i, v);
                }
                None if varkw => vm.dict_set(kwdict, name, v)?,
                None => return Err(unexpected_keyword(vm, func, code, kwnames, name)),
            }
        }
    }
    if npos > argc && !varargs {
        return Err(too_many(vm, func, code, npos, dst));
    }
    if npos < argc {
        let defaults = func.defaults.get();
        let nd = if defaults.is_some() && defaults != vm.none {
            vm.tuple_len(defaults)
        } else {
            0
        };
        let first_default = argc - nd.min(argc);
        let mut missing = Vec::new();
        for i in npos..argc {
            if get(i).is_some() {
                continue;
            }
            if i >= first_default {
                let v = vm.tuple_get(defaults, i - first_default + (nd - nd.min(argc)));
                set(i, v);
            } else {
                missing.push(i);
            }
        }
        if !missing.is_empty() {
            return Err(missing_arguments(vm, func, code, &missing, "positional"));
        }
    }
    if kwonly > 0 {
        let kwdefaults = func.kwdefaults.get();
        let mut missing = Vec::new();
        for i in argc..total {
            if get(i).is_some() {
                continue;
            }
            let name = vm.tuple_get(code.varnames, i);
            let v = if kwdefaults.is_some() && kwdefaults != vm.none {
                vm.dict_get_str(kwdefaults, name)
            } else {
                Value::NULL
            };
            if v.is_null() {
                missing.push(i);
            } else {
                set(i, v);
            }
        }
        if !missing.is_empty() {
            return Err(missing_arguments(vm, func, code, &missing, "keyword-only"));
        }
    }
    Ok(())
}

#[cold]
fn unexpected_keyword(
    vm: &mut Vm,
    func: Gc<PyFunction>,
    code: &CodeData,
    kwnames: Value,
    name: Value,
) -> pyrite_objects::Raised {
    let q = vm.str_to_string(func.qualname.get());
    let names = vm.tuple_items(code.varnames);
    let posonly: Vec<String> = vm
        .tuple_items(kwnames)
        .iter()
        .filter(|&&k| {
            names[..code.posonly_count as usize]
                .iter()
                .any(|&n| vm.str_eq(n, vm.as_str(k).unwrap_or(k)))
        })
        .map(|&k| vm.str_to_string(k))
        .collect();
    let m = if posonly.is_empty() {
        format!(
            "{q}() got an unexpected keyword argument '{}'",
            vm.str_to_string(name)
        )
    } else {
        format!(
            "{q}() got some positional-only arguments passed as keyword arguments: '{}'",
            posonly.join(", ")
        )
    };
    vm.type_error(&m)
}

#[cold]
fn too_many(
    vm: &mut Vm,
    func: Gc<PyFunction>,
    code: &CodeData,
    given: usize,
    dst: *mut Value,
) -> pyrite_objects::Raised {
    let q = vm.str_to_string(func.qualname.get());
    let argc = code.arg_count as usize;
    let defaults = func.defaults.get();
    let nd = if defaults.is_some() && defaults != vm.none {
        vm.tuple_len(defaults)
    } else {
        0
    };
    let kw_given = (argc..argc + code.kwonly_count as usize)
        // SAFETY: parameters are the first registers of the window.
        .filter(|&i| unsafe { (*dst.add(i)).is_some() })
        .count();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let takes = if nd > 0 {
        format!("from {} to {argc} positional arguments", argc - nd)
    } else {
        format!("{argc} positional argument{}", plural(argc))
    };
    let extra = if kw_given > 0 {
        format!(
            " positional argument{} (and {kw_given} keyword-only argument{})",
            plural(given),
            plural(kw_given)
        )
    } else {
        String::new()
    };
    let verb = if given == 1 && kw_given == 0 {
        "was"
    } else {
        "were"
    };
    let m = format!("{q}() takes {takes} but {given}{extra} {verb} given");
    vm.type_error(&m)
}

#[cold]
fn missing_arguments(
    vm: &mut Vm,
    func: Gc<PyFunction>,
    code: &CodeData,
    missing: &[usize],
    kind: &str,
) -> pyrite_objects::Raised {
    let q = vm.str_to_string(func.qualname.get());
    let names: Vec<String> = missing
        .iter()
        .map(|&i| format!("'{}'", vm.str_to_string(vm.tuple_get(code.varnames, i))))
        .collect();
    let list = match names.as_slice() {
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        [init @ .., last] => format!("{}, and {last}", init.join(", ")),
        [] => String::new(),
    };
    let s = if names.len() == 1 { "" } else { "s" };
    let m = format!(
        "{q}() missing {} required {kind} argument{s}: {list}",
        names.len()
    );
    vm.type_error(&m)
}

/// Runs a Python function from Rust.
pub fn run_function(vm: &mut Vm, func: Value, args: &[Value], kwnames: Value) -> R {
    if vm.polled() {
        pyrite_objects::misc::run_pending(vm)?;
    }
    let f: Gc<PyFunction> = Gc::from_value(func);
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*f.code_data.get() };
    let (saved, base) = frames::enter(vm, func, code, Stage::Root)?;
    let r = if code.simple && kwnames.is_null() && args.len() == code.arg_count as usize {
        for (i, &v) in args.iter().enumerate() {
            // SAFETY: parameters are the first registers of the window.
            unsafe { *base.add(i) = v };
        }
        Ok(())
    } else {
        bind(vm, f, args, kwnames, base)
    };
    let r = r.and_then(|()| run_body(vm, base));
    frames::leave(vm, saved);
    r
}

/// Runs a function whose window Rust has made and filled, by its compiled code if
/// it has some.
fn run_body(vm: &mut Vm, base: *mut Value) -> R {
    let code = frames::code_at(base);
    code.calls.set(code.calls.get().saturating_sub(1));
    if code.calls.get() >= 0 {
        return crate::dispatch::run(vm, base, code.entry);
    }
    vm.base = base;
    vm.pc = code.entry as u64;
    let hot = (crate::state::state(vm).hot_function)(vm);
    go_on(vm, hot)
}

/// Runs to its end what a hot place left of a window that Rust has made.
pub(crate) fn go_on(vm: &mut Vm, hot: Hot) -> R {
    match hot {
        Hot::Return(v) => Ok(v),
        Hot::Resume | Hot::Nothing => {
            let (base, pc) = (vm.base, vm.pc as *const u64);
            crate::dispatch::go_on(vm, base, pc)
        }
        Hot::Raise => {
            if crate::unwind::unwind(vm, false) == Flow::Leave {
                vm.result = Value::NULL;
                return Err(Raised);
            }
            let (base, pc) = (vm.base, vm.pc as *const u64);
            crate::dispatch::go_on(vm, base, pc)
        }
    }
}

/// Runs module-level code, a class body, or `exec`/`eval` code in a namespace.
pub fn run_code(vm: &mut Vm, code: Value, globals: Value, namespace: Value, closure: Value) -> R {
    let func = vm.new_function(code, globals);
    let f: Gc<PyFunction> = Gc::from_value(func);
    f.closure.set(closure);
    run_namespace(vm, func, namespace)
}

/// Runs a function whose code has a namespace (a class body).
pub fn run_namespace(vm: &mut Vm, func: Value, namespace: Value) -> R {
    let f: Gc<PyFunction> = Gc::from_value(func);
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*f.code_data.get() };
    let (saved, base) = frames::enter(vm, func, code, Stage::Root)?;
    if code.flags.has(CodeFlags::NAMESPACE) {
        // SAFETY: register 0 of the window.
        unsafe { *base = namespace };
    }
    let r = crate::dispatch::run(vm, base, code.entry);
    frames::leave(vm, saved);
    r
}
