//! Start of the import system.
//!
//! importlib is Python code of the installed library. It is loaded from source
//! when a program first imports something that is not there yet, so that a
//! program which imports nothing does not pay for it.

use crate::{module, namespace, set};
use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};
use std::path::{Path, PathBuf};

/// The library tree: `PYTHONHOME`'s, else the one beside a system Python 3.11,
/// else one that pyenv installed.
pub fn find_lib(ignore_environment: bool) -> Option<PathBuf> {
    let good = |p: &Path| p.join("importlib/_bootstrap.py").is_file();
    let home = std::env::var_os("PYTHONHOME").filter(|h| !ignore_environment && !h.is_empty());
    if let Some(home) = home {
        let p = PathBuf::from(home).join("lib/python3.11");
        return good(&p).then_some(p);
    }
    for p in ["/usr/lib/python3.11", "/usr/local/lib/python3.11"] {
        let p = PathBuf::from(p);
        if good(&p) {
            return Some(p);
        }
    }
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")))?;
    let mut trees: Vec<PathBuf> = std::fs::read_dir(root.join("versions"))
        .ok()?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("3.11.")))
        .map(|p| p.join("lib/python3.11"))
        .filter(|p| good(p))
        .collect();
    trees.sort();
    trees.pop()
}

fn load(vm: &mut Vm, lib: &Path, name: &str, file: &str, shown: &str) -> R {
    let path = lib.join("importlib").join(file);
    let source = match std::fs::read(&path) {
        Ok(s) => s,
        Err(e) => {
            let m = format!("cannot read {}: {e}", path.display());
            return Err(vm.import_error(&m));
        }
    };
    let (source, shown) = (vm.new_bytes(&source), vm.new_str(shown));
    let code = (vm.hooks.compile)(vm, source, shown, "exec", 0, 0)?;
    let m = module(vm, name, "", &[]);
    let ns = namespace(m);
    let builtins = vm.builtins;
    vm.dict_set_str(ns, vm.names.builtins, builtins);
    (vm.hooks.run_code)(vm, code, ns, ns, Value::NULL)?;
    Ok(m)
}

/// Loads importlib and lets it install its importers. To be called once.
///
/// # Errors
/// ImportError if there is no library tree; whatever importlib raises.
pub fn start(vm: &mut Vm) -> R<()> {
    let Some(lib) = vm.config.lib.clone() else {
        return Err(vm.import_error(
            "no library of Python 3.11 found: set PYTHONHOME to the prefix of an installation",
        ));
    };
    let imp = match crate::builtin_module(vm, "_imp")? {
        Some(m) => m,
        None => return Err(vm.import_error("no module named '_imp'")),
    };
    let sys_key = vm.intern("sys");
    let sys = vm.dict_get_str(vm.modules, sys_key);
    let core = match load(vm, &lib, "_frozen_importlib", "_bootstrap.py", "<frozen importlib._bootstrap>") {
        Ok(m) => m,
        Err(e) => return Err(undo(vm, e)),
    };
    let r = finish(vm, &lib, core, sys, imp);
    r.map_err(|e| undo(vm, e))
}

/// A start that failed leaves nothing half made.
fn undo(vm: &mut Vm, e: pyrite_objects::Raised) -> pyrite_objects::Raised {
    for name in ["_frozen_importlib", "_frozen_importlib_external"] {
        let key = vm.intern(name);
        vm.dict_remove_str(vm.modules, key);
    }
    e
}

fn finish(vm: &mut Vm, lib: &Path, core: Value, sys: Value, imp: Value) -> R<()> {
    let install = vm.getattr_str(core, "_install")?;
    vm.call(install, &[sys, imp])?;
    let external = load(
        vm,
        lib,
        "_frozen_importlib_external",
        "_bootstrap_external.py",
        "<frozen importlib._bootstrap_external>",
    )?;
    set(vm, core, "_bootstrap_external", external);
    let install = vm.getattr_str(core, "_install_external_importers")?;
    vm.call(install, &[])?;
    Ok(())
}
