//! Pyrite's native modules, one file each.
//!
//! A module is made by [`module`] from a table of functions; what a function is
//! and does is declared as in `pyrite_objects::native`. Modules that the start
//! needs are made by `vm/cli`; the others stand in [`MODULES`] and are made when
//! they are first imported.

pub mod abc;
pub mod accounts;
pub mod args;
pub mod array;
pub mod ast_types;
pub mod atexit;
pub mod binascii;
pub mod bisect;
pub mod builtins;
pub mod cmath;
mod codec_errors;
pub mod codecs;
pub mod collections;
pub mod contextvars;
pub mod csv;
pub mod errno;
pub mod faulthandler;
pub mod fcntl;
pub mod fs;
pub mod functools;
pub mod gc;
pub mod hashes;
pub mod heapq;
pub mod imp;
pub mod importlib;
pub mod io;
pub mod itertools;
pub mod json;
pub mod marshal;
pub mod marshal_code;
pub mod math;
pub mod operator;
pub mod posix;
pub mod posixsubprocess;
pub mod random;
pub mod resource;
pub mod select;
pub mod signal;
pub mod slots;
pub mod socket;
pub mod sre;
pub mod string;
pub mod structs;
pub mod structseq;
pub mod sys;
mod sys_hooks;
mod sys_import;
mod sys_info;
pub mod testcapi;
pub mod testinternalcapi;
pub mod textfile;
pub mod thread;
pub mod time;
pub mod unicodedata;
pub mod warnings;
pub mod weakref;
pub mod zlib;

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyModule, PyType};
use pyrite_objects::native::NativeDef;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// Makes a module and enters it into `sys.modules`.
pub type Maker = fn(&mut Vm) -> R;

/// Modules made on first import.
pub static MODULES: &[(&str, Maker)] = &[
    ("_abc", abc::make),
    ("_ast", ast_types::make),
    ("_bisect", bisect::make),
    ("_blake2", hashes::blake2::make),
    ("_collections", collections::make),
    ("_contextvars", contextvars::make),
    ("_csv", csv::make),
    ("_functools", functools::make),
    ("_heapq", heapq::make),
    ("_imp", imp::make),
    ("_io", io::make),
    ("_json", json::make),
    ("_md5", hashes::make_md5),
    ("_operator", operator::make),
    ("_posixsubprocess", posixsubprocess::make),
    ("_random", random::make),
    ("_sha1", hashes::make_sha1),
    ("_sha256", hashes::make_sha256),
    ("_sha3", hashes::sha3::make),
    ("_sha512", hashes::make_sha512),
    ("_signal", signal::make),
    ("_socket", socket::make),
    ("_sre", sre::make),
    ("_string", string::make),
    ("_struct", structs::make),
    ("_testcapi", testcapi::make),
    ("_testinternalcapi", testinternalcapi::make),
    ("_thread", thread::make),
    ("_warnings", warnings::make),
    ("_weakref", weakref::make),
    ("array", array::make),
    ("atexit", atexit::make),
    ("binascii", binascii::make),
    ("cmath", cmath::make),
    ("errno", errno::make),
    ("faulthandler", faulthandler::make),
    ("fcntl", fcntl::make),
    ("gc", gc::make),
    ("grp", accounts::make_grp),
    ("itertools", itertools::make),
    ("marshal", marshal::make),
    ("math", math::make),
    ("posix", posix::make),
    ("pwd", accounts::make_pwd),
    ("resource", resource::make),
    ("select", select::make),
    ("unicodedata", unicodedata::make),
    ("zlib", zlib::make),
];

/// Modules made at start.
pub static EARLY: &[&str] = &["_codecs", "builtins", "sys", "time"];

/// True if this crate has a module of that name.
pub fn is_builtin(name: &str) -> bool {
    EARLY.contains(&name) || MODULES.iter().any(|(n, _)| *n == name)
}

/// The module of that name, made if need be; `None` if there is none.
pub fn builtin_module(vm: &mut Vm, name: &str) -> R<Option<Value>> {
    let key = vm.intern(name);
    let m = vm.dict_get_str(vm.modules, key);
    if m.is_some() && m != vm.none && is_builtin(name) {
        return Ok(Some(m));
    }
    match MODULES.iter().find(|(n, _)| *n == name) {
        Some((_, make)) => make(vm).map(Some),
        None => Ok(None),
    }
}

/// A module object with these functions, entered into `sys.modules`.
pub fn module(vm: &mut Vm, name: &str, doc: &str, functions: &'static [NativeDef]) -> Value {
    let dict = vm.new_dict();
    let m = vm.new_instance(vm.types.module);
    Gc::<PyModule>::from_value(m).dict.set(dict);
    vm.write_barrier(m);
    let n = vm.names;
    let (name_value, none) = (vm.intern(name), vm.none);
    let doc_value = if doc.is_empty() {
        none
    } else {
        vm.new_str(doc)
    };
    for (key, v) in [
        (n.name, name_value),
        (n.doc, doc_value),
        (n.package, vm.empty_str),
        (n.loader, none),
        (n.spec, none),
    ] {
        vm.dict_set_str(dict, key, v);
    }
    for f in functions {
        let v = vm.native_function(f, Value::NULL, Value::NULL, name_value);
        let key = vm.intern(f.name);
        vm.dict_set_str(dict, key, v);
    }
    if vm.modules.is_null() {
        let d = vm.new_dict();
        vm.modules = d;
    }
    vm.dict_set_str(vm.modules, name_value, m);
    m
}

/// Makes a class and enters it into a module made by [`module`]. The class's
/// `__module__` is what `def` says.
pub fn class(vm: &mut Vm, module: Value, def: &TypeDef<'_>) -> Gc<PyType> {
    let t = vm.native_type(def);
    set(vm, module, def.name, t.value());
    t
}

/// The namespace of a module made by [`module`].
pub fn namespace(module: Value) -> Value {
    Gc::<PyModule>::from_value(module).dict.get()
}

/// Makes an exception class as a class statement would; no base: `Exception`.
pub fn new_exception(vm: &mut Vm, module: &str, name: &str, bases: &[Value]) -> Value {
    let exception = vm.types.exception.value();
    let bases = vm.new_tuple(if bases.is_empty() {
        std::slice::from_ref(&exception)
    } else {
        bases
    });
    let (name, ns) = (vm.intern(name), vm.new_dict());
    let (key, module) = (vm.names.module, vm.intern(module));
    vm.dict_set_str(ns, key, module);
    let type_ = vm.types.type_.value();
    vm.call(type_, &[name, bases, ns])
        .expect("a class derived from built-in exceptions can be made")
}

/// Sets a name in a module.
pub fn set(vm: &mut Vm, module: Value, name: &str, v: Value) {
    let key = vm.intern(name);
    vm.dict_set_str(namespace(module), key, v);
}

/// A name of a module in `sys.modules`, or null.
pub fn module_attr(vm: &mut Vm, module: &str, name: &str) -> Value {
    let key = vm.intern(module);
    let m = vm.dict_get_str(vm.modules, key);
    if m.is_null() || vm.layout_of(m) != pyrite_objects::Layout::Module {
        return Value::NULL;
    }
    let key = vm.intern(name);
    vm.dict_get_str(namespace(m), key)
}
