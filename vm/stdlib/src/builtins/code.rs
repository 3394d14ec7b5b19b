//! Functions that compile and run code, look at namespaces, or import.

use crate::slots;
use pyrite_bytecode::CodeFlags;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyException, PyFrame, PyFunction, PyTraceback};
use pyrite_objects::vm::{R, Vm};

/// `compile()` returns a tree (`ast.PyCF_ONLY_AST`).
const ONLY_AST: u32 = 0x400;
/// `__future__`'s features and `PyCF_*` of the compiler.
const KNOWN_FLAGS: u32 = 0x1FE_0010 | 0x7F00;

/// Compiler flags that a `from __future__` import in the running code sets.
fn inherited_flags(vm: &Vm) -> u32 {
    let f = vm.current_function();
    if f.is_null() {
        return 0;
    }
    let code = Gc::<PyFunction>::from_value(f).code.get();
    vm.code_data(code).flags.0 & CodeFlags::FUTURE_ANNOTATIONS
}

pub(super) fn globals(vm: &mut Vm, _: &[Value]) -> R {
    let g = vm.current_globals();
    Ok(if g.is_null() { vm.none } else { g })
}

pub(super) fn locals(vm: &mut Vm, _: &[Value]) -> R {
    let l = vm.current_locals();
    if l.is_null() {
        return Err(vm.system_error("frame does not exist"));
    }
    Ok(l)
}

pub(super) fn compile(vm: &mut Vm, a: &[Value]) -> R {
    let (source, filename, mode) = (a[0], a[1], a[2]);
    let mut flags = if a[3].is_null() {
        0
    } else {
        vm.index_i64(a[3], false)? as u32
    };
    let dont_inherit = !a[4].is_null() && vm.truth(a[4])?;
    let optimize = if a[5].is_null() {
        -1
    } else {
        vm.index_i64(a[5], true)?
    };
    if !vm.is_str(mode) {
        let m = format!(
            "compile() argument 'mode' must be str, not {}",
            vm.class_name(mode)
        );
        return Err(vm.type_error(&m));
    }
    let mode = vm.str_to_string(mode);
    if !matches!(mode.as_str(), "exec" | "eval" | "single" | "func_type") {
        return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'"));
    }
    if !(-1..=2).contains(&optimize) {
        return Err(vm.value_error("compile(): invalid optimize value"));
    }
    if flags & !KNOWN_FLAGS != 0 {
        return Err(vm.value_error("compile(): unrecognised flags"));
    }
    if !dont_inherit {
        flags |= inherited_flags(vm);
    }
    let ast = crate::ast_types::node_class(vm, "AST");
    if ast.is_some() && vm.isinstance_plain(source, ast)? {
        if flags & ONLY_AST != 0 {
            return Ok(source);
        }
        let filename = file_name(vm, filename)?;
        return (vm.hooks.compile)(vm, source, filename, &mode, flags, optimize as i32);
    }
    let filename = file_name(vm, filename)?;
    let source = source_text(
        vm,
        source,
        "compile() arg 1 must be a string, bytes or AST object",
    )?;
    (vm.hooks.compile)(vm, source, filename, &mode, flags, optimize as i32)
}

/// A file name as `str`: given as str, bytes or a path object.
fn file_name(vm: &mut Vm, v: Value) -> R {
    if vm.is_str(v) {
        return Ok(v);
    }
    let v = match vm.call_special(v, vm.names.fspath, &[])? {
        Some(p) => p,
        None => v,
    };
    if vm.is_str(v) {
        return Ok(v);
    }
    match vm.as_bytes(v) {
        Some(b) => {
            let text = String::from_utf8_lossy(vm.bytes(b)).into_owned();
            Ok(vm.new_str(&text))
        }
        None => {
            let name = vm.class_name(v).to_string();
            let Some(b) = vm.buffer(v).map(<[u8]>::to_vec) else {
                let m = format!("expected str, bytes or os.PathLike object, not {name}");
                return Err(vm.type_error(&m));
            };
            let m = format!("path should be string, bytes, or os.PathLike, not {name}");
            crate::warnings::warn_str(vm, vm.types.deprecation_warning, &m, 1)?;
            let text = String::from_utf8_lossy(&b).into_owned();
            Ok(vm.new_str(&text))
        }
    }
}

/// Source code handed to the compiler: a str or bytes object without zero bytes.
fn source_text(vm: &mut Vm, v: Value, wrong: &str) -> R {
    let (s, zero) = if let Some(s) = vm.as_str(v) {
        (s, vm.text(s).iter().any(|c| c == 0))
    } else if let Some(b) = vm.bytes_as_number(v) {
        let zero = b.contains(&0);
        (vm.new_bytes(&b), zero)
    } else {
        return Err(vm.type_error(wrong));
    };
    if zero {
        return Err(vm.value_error("source code string cannot contain null bytes"));
    }
    Ok(s)
}

/// Globals and locals that `eval` and `exec` run in.
fn namespaces(vm: &mut Vm, globals: Value, locals: Value, exec: bool) -> R<(Value, Value)> {
    let none = vm.none;
    let given = |v: Value| v.is_some() && v != none;
    if given(globals) && !vm.is_dict(globals) {
        let m = if exec {
            format!(
                "exec() globals must be a dict, not {}",
                vm.class_name(globals)
            )
        } else if vm.lookup_on(globals, vm.names.getitem).is_some() {
            "globals must be a real dict; try eval(code, {}, mapping)".to_owned()
        } else {
            "globals must be a dict".to_owned()
        };
        return Err(vm.type_error(&m));
    }
    if given(locals) && vm.lookup_on(locals, vm.names.getitem).is_null() {
        let m = if exec {
            format!(
                "locals must be a mapping or None, not {}",
                vm.class_name(locals)
            )
        } else {
            "locals must be a mapping".to_owned()
        };
        return Err(vm.type_error(&m));
    }
    let g = if given(globals) {
        globals
    } else {
        vm.current_globals()
    };
    if g.is_null() {
        return Err(vm.system_error("globals and locals cannot be NULL"));
    }
    let l = if given(locals) {
        locals
    } else if given(globals) {
        globals
    } else {
        vm.current_locals()
    };
    let n = vm.names.builtins;
    if vm.dict_get_str(g, n).is_null() {
        let builtins = vm.builtins;
        vm.dict_set_str(g, n, builtins);
    }
    Ok((g, l))
}

fn check_free(vm: &mut Vm, code: Value, who: &str) -> R<()> {
    if !vm.code_data(code).free_regs.is_empty() {
        let m = format!("code object passed to {who}() may not contain free variables");
        return Err(vm.type_error(&m));
    }
    Ok(())
}

pub(super) fn eval(vm: &mut Vm, a: &[Value]) -> R {
    let (g, l) = namespaces(vm, a[1], a[2], false)?;
    if vm.layout_of(a[0]) == Layout::Code {
        check_free(vm, a[0], "eval")?;
        return (vm.hooks.run_code)(vm, a[0], g, l, Value::NULL);
    }
    let source = source_text(
        vm,
        a[0],
        "eval() arg 1 must be a string, bytes or code object",
    )?;
    let source = match vm.as_str(source) {
        // Leading blanks are no indentation here.
        Some(s) => {
            let t = vm.text(s);
            let skip = t.iter().take_while(|&c| c == 32 || c == 9).count();
            vm.new_str_text(t.slice(skip..t.len()))
        }
        None => {
            let b = vm.bytes(source);
            let skip = b.iter().take_while(|&&c| c == 32 || c == 9).count();
            vm.new_bytes(&b[skip..])
        }
    };
    let flags = inherited_flags(vm);
    let file = vm.intern("<string>");
    let code = (vm.hooks.compile)(vm, source, file, "eval", flags, -1)?;
    (vm.hooks.run_code)(vm, code, g, l, Value::NULL)
}

pub(super) fn exec(vm: &mut Vm, a: &[Value]) -> R {
    let (g, l) = namespaces(vm, a[1], a[2], true)?;
    let closure = if a[3].is_null() || a[3] == vm.none {
        Value::NULL
    } else {
        a[3]
    };
    if vm.layout_of(a[0]) == Layout::Code {
        let free = vm.code_data(a[0]).free_regs.len();
        if free == 0 {
            if closure.is_some() {
                return Err(vm.type_error("cannot use a closure with this code object"));
            }
        } else if closure.is_null() {
            check_free(vm, a[0], "exec")?;
        } else {
            let cells = vm.as_tuple(closure);
            let good = cells.is_some_and(|t| {
                vm.tuple_len(t) == free
                    && vm
                        .tuple_items(t)
                        .iter()
                        .all(|&c| vm.layout_of(c) == Layout::Cell)
            });
            if !good {
                let m = format!("code object requires a closure of exactly length {free}");
                return Err(vm.type_error(&m));
            }
        }
        (vm.hooks.run_code)(vm, a[0], g, l, closure)?;
        return Ok(vm.none);
    }
    if closure.is_some() {
        return Err(vm.type_error("closure can only be used when source is a code object"));
    }
    let source = source_text(
        vm,
        a[0],
        "exec() arg 1 must be a string, bytes or code object",
    )?;
    let flags = inherited_flags(vm);
    let file = vm.intern("<string>");
    let code = (vm.hooks.compile)(vm, source, file, "exec", flags, -1)?;
    (vm.hooks.run_code)(vm, code, g, l, Value::NULL)?;
    Ok(vm.none)
}

pub(super) fn breakpoint(vm: &mut Vm, a: &[Value]) -> R {
    let key = vm.intern("breakpointhook");
    let hook = if vm.sys_dict.is_null() {
        Value::NULL
    } else {
        vm.dict_get_str(vm.sys_dict, key)
    };
    if hook.is_null() {
        return Err(vm.runtime_error("lost sys.breakpointhook"));
    }
    vm.call_dict(hook, vm.tuple_items(a[0]), a[1])
}

/// What an import statement calls: modules already loaded are found here, all
/// else is importlib's work.
pub(super) fn import(vm: &mut Vm, a: &[Value]) -> R {
    let name = a[0];
    let Some(name) = vm.as_str(name) else {
        return Err(vm.type_error("module name must be a string"));
    };
    let none = vm.none;
    let globals = if a[1].is_null() { none } else { a[1] };
    let locals = if a[2].is_null() { none } else { a[2] };
    let fromlist = if a[3].is_null() { vm.empty_tuple } else { a[3] };
    let level = if a[4].is_null() {
        0
    } else {
        vm.index_i64(a[4], false)?
    };
    let has_list = fromlist != none && vm.truth(fromlist)?;
    if level == 0 {
        let module = vm.dict_get_str(vm.modules, name);
        if module.is_some() && module != none && loaded(vm, module)? {
            if !has_list {
                let text = vm.str_to_string(name);
                let Some((top, _)) = text.split_once('.') else {
                    return Ok(module);
                };
                let top = vm.intern(top);
                let m = vm.dict_get_str(vm.modules, top);
                if m.is_some() {
                    return Ok(m);
                }
            } else {
                let path = vm.names.path;
                if vm.getattr_opt(module, path)?.is_null() {
                    return Ok(module);
                }
            }
        }
    }
    if level == 0 && !has_list {
        // Modules of this crate need no machinery while nothing replaces it.
        let text = vm.str_to_string(name);
        if vm.statics[slots::IMPORTLIB].is_null()
            && let Some(m) = crate::builtin_module(vm, &text)?
        {
            return Ok(m);
        }
    }
    if vm.statics[slots::IMPORTLIB].is_null() {
        crate::importlib::start(vm)?;
    }
    let f = vm.getattr(vm.statics[slots::IMPORTLIB], vm.names.import)?;
    let level = vm.new_int(level);
    let r = vm.call(f, &[name, globals, locals, fromlist, level]);
    if r.is_err() && vm.config.verbose == 0 {
        hide_importlib(vm);
    }
    r
}

/// Takes the import system's own entries out of the pending exception's
/// traceback: all of them for an ImportError, else those on the way to code
/// that importlib called for someone (`_call_with_frames_removed`).
fn hide_importlib(vm: &mut Vm) {
    let e = vm.exc;
    if e.is_null() {
        return;
    }
    let always = vm.exc_is(vm.types.import_error);
    let exc: Gc<PyException> = Gc::from_value(e);
    let entry = Gc::<PyTraceback>::from_value;
    // The kept entry behind which a chunk of importlib's begins (null: none is
    // kept before it), and the last kept entry.
    let (mut outer, mut last, mut inside) = (Value::NULL, Value::NULL, false);
    let mut t = exc.traceback.get();
    while t.is_some() && t != vm.none {
        let next = entry(t).next.get();
        let frame = Gc::<PyFrame>::from_value(entry(t).frame.get());
        let func = Gc::<PyFunction>::from_value(frame.func.get());
        let code = vm.code_data(func.code.get());
        let now = vm.str_is(code.filename, "<frozen importlib._bootstrap>")
            || vm.str_is(code.filename, "<frozen importlib._bootstrap_external>");
        if now && !inside {
            outer = last;
        }
        inside = now;
        if now && (always || vm.str_is(code.name, "_call_with_frames_removed")) {
            if outer.is_null() {
                exc.traceback.set(next);
                vm.write_barrier(e);
            } else {
                entry(outer).next.set(next);
                vm.write_barrier(outer);
            }
            last = outer;
        } else {
            last = t;
        }
        t = next;
    }
}

/// False while a module's import is in progress (its `__spec__` says so).
fn loaded(vm: &mut Vm, module: Value) -> R<bool> {
    let n = vm.names;
    let spec = vm.getattr_opt(module, n.spec)?;
    if spec.is_null() || spec == vm.none {
        return Ok(true);
    }
    let busy = vm.getattr_opt(spec, n.initializing)?;
    if busy.is_null() {
        return Ok(true);
    }
    Ok(!vm.truth(busy)?)
}
