//! A VM inside this process, for parts that need one.

use pyrite::args;
use pyrite_machine::Value;
use pyrite_objects::vm::Vm;
use std::ffi::OsString;

/// A VM under these options, without `site`.
pub(crate) fn vm(options: &[&str]) -> &'static mut Vm {
    let mut words: Vec<OsString> = ["parts", "-I", "-S"].map(OsString::from).into();
    words.extend(options.iter().map(OsString::from));
    words.extend(["-c", ""].map(OsString::from));
    let args = args::parse(words).unwrap_or_else(|_| panic!("options of our own: {options:?}"));
    pyrite::boot::start(&args).unwrap_or_else(|code| panic!("no VM: exit code {code}"))
}

/// Runs `source` as a module; its namespace, which stays alive in `sys.modules`.
pub(crate) fn run(vm: &mut Vm, name: &str, source: &str) -> Value {
    let module = pyrite_stdlib::module(vm, name, "", &[]);
    let globals = pyrite_stdlib::namespace(module);
    let builtins = vm.builtins;
    vm.dict_set_str(globals, vm.names.builtins, builtins);
    let (text, file) = (vm.new_bytes(source.as_bytes()), vm.new_str(name));
    let ran = (vm.hooks.compile)(vm, text, file, "exec", 0, 0)
        .and_then(|code| (vm.hooks.run_code)(vm, code, globals, globals, Value::NULL));
    assert!(ran.is_ok(), "{name} raised");
    globals
}

/// A name of a namespace that [`run`] returned.
pub(crate) fn get(vm: &mut Vm, globals: Value, name: &str) -> Value {
    let key = vm.intern(name);
    let value = vm.dict_get_str(globals, key);
    assert!(value.is_some(), "{name} is not there");
    value
}
