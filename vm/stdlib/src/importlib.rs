//! Start of the import system.
//!
//! importlib is Python code of the installed library. It is loaded from source
//! when a program first imports something that is not there yet, so that a
//! program which imports nothing does not pay for it.

use crate::{module, namespace, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::Layout;
use pyrite_objects::vm::{R, Vm};
use std::os::unix::fs::MetadataExt;
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
        .filter(|p| {
            p.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with("3.11."))
        })
        .map(|p| p.join("lib/python3.11"))
        .filter(|p| good(p))
        .collect();
    trees.sort();
    trees.pop()
}

fn load(vm: &mut Vm, lib: &Path, name: &str, file: &str, shown: &str) -> R {
    let path = lib.join("importlib").join(file);
    let code = compiled(vm, &path, shown)?;
    let m = module(vm, name, "", &[]);
    let ns = namespace(m);
    let builtins = vm.builtins;
    vm.dict_set_str(ns, vm.names.builtins, builtins);
    (vm.hooks.run_code)(vm, code, ns, ns, Value::NULL)?;
    Ok(m)
}

/// Code of a source file that importlib cannot load because it is importlib:
/// from its compiled file if that is up to date, else compiled, and the compiled
/// file is written. The layout is that of importlib's own files.
fn compiled(vm: &mut Vm, path: &Path, shown: &str) -> R {
    let header = std::fs::metadata(path).ok().map(|m| {
        let mut h = crate::marshal_code::magic().to_vec();
        h.extend_from_slice(&[0; 4]);
        h.extend_from_slice(&(m.mtime() as u32).to_le_bytes());
        h.extend_from_slice(&(m.size() as u32).to_le_bytes());
        h
    });
    let cache = cache_of(vm, path);
    let shown = vm.new_str(shown);
    if let (Some(header), Some(cache)) = (&header, &cache)
        && let Ok(bytes) = std::fs::read(cache)
        && bytes.starts_with(header)
    {
        let bytes = vm.new_bytes(&bytes);
        match crate::marshal::load(vm, bytes, header.len()) {
            Ok(code) if vm.layout_of(code) == Layout::Code => {
                let old = vm.code_data(code).filename;
                crate::imp::rename_code(vm, code, old, shown);
                return Ok(code);
            }
            // A damaged file is as good as none.
            _ => vm.exc = Value::NULL,
        }
    }
    let source = match std::fs::read(path) {
        Ok(s) => s,
        Err(e) => {
            let m = format!("cannot read {}: {e}", path.display());
            return Err(vm.import_error(&m));
        }
    };
    let source = vm.new_bytes(&source);
    let code = (vm.hooks.compile)(vm, source, shown, "exec", 0, 0)?;
    if let (Some(mut bytes), Some(cache), false) = (header, cache, vm.config.dont_write_bytecode) {
        crate::marshal::store(vm, code, &mut bytes)?;
        write_whole(&cache, &bytes);
    }
    Ok(code)
}

/// Where importlib would put the compiled form of a source file.
fn cache_of(vm: &Vm, path: &Path) -> Option<PathBuf> {
    let (folder, stem) = (path.parent()?, path.file_stem()?);
    let name = format!("{}.pyrite-311.pyc", stem.to_string_lossy());
    Some(match vm.config.pycache_prefix.as_deref() {
        None | Some("") => folder.join("__pycache__").join(name),
        Some(prefix) => Path::new(prefix)
            .join(folder.strip_prefix("/").unwrap_or(folder))
            .join(name),
    })
}

/// Writes a file so that readers see all of it or nothing. Failures are not
/// worth a word: the file only saves time.
fn write_whole(path: &Path, bytes: &[u8]) {
    let Some(folder) = path.parent() else { return };
    let _ = std::fs::create_dir_all(folder);
    let part = path.with_extension(format!("{}", std::process::id()));
    if std::fs::write(&part, bytes).is_err() || std::fs::rename(&part, path).is_err() {
        let _ = std::fs::remove_file(&part);
    }
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
    let core = match load(
        vm,
        &lib,
        "_frozen_importlib",
        "_bootstrap.py",
        "<frozen importlib._bootstrap>",
    ) {
        Ok(m) => m,
        Err(e) => return Err(undo(vm, e)),
    };
    vm.statics[slots::IMPORTLIB] = core;
    let r = finish(vm, &lib, core, sys, imp);
    r.map_err(|e| undo(vm, e))
}

/// A start that failed leaves nothing half made.
fn undo(vm: &mut Vm, e: pyrite_objects::Raised) -> pyrite_objects::Raised {
    for name in ["_frozen_importlib", "_frozen_importlib_external"] {
        let key = vm.intern(name);
        vm.dict_remove_str(vm.modules, key);
    }
    vm.statics[slots::IMPORTLIB] = Value::NULL;
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
    // The library knows the number of CPython's bytecode.
    let magic = crate::marshal_code::magic();
    let b = vm.new_bytes(&magic);
    set(vm, external, "MAGIC_NUMBER", b);
    let n = vm.new_int(u32::from_le_bytes(magic).into());
    set(vm, external, "_RAW_MAGIC_NUMBER", n);
    let install = vm.getattr_str(core, "_install_external_importers")?;
    vm.call(install, &[])?;
    crate::io::replace_streams(vm)
}
