//! What `sys` tells the import system and about the implementation.

use crate::{EARLY, MODULES, set, structseq};
use pyrite_machine::Value;
use pyrite_objects::vm::Vm;

fn flags(vm: &mut Vm) -> Value {
    let c = vm.config.clone();
    let hashing = i32::from(c.seed.is_none());
    let fields: [(&str, i32); 18] = [
        ("debug", 0),
        ("inspect", c.inspect.into()),
        ("interactive", c.interactive.into()),
        ("optimize", c.optimize as i32),
        ("dont_write_bytecode", 1),
        ("no_user_site", c.no_user_site.into()),
        ("no_site", c.no_site.into()),
        ("ignore_environment", c.ignore_environment.into()),
        ("verbose", c.verbose as i32),
        ("bytes_warning", c.bytes_warning as i32),
        ("quiet", c.quiet.into()),
        ("hash_randomization", hashing),
        ("isolated", c.isolated.into()),
        ("dev_mode", c.dev_mode.into()),
        ("utf8_mode", c.utf8_mode.into()),
        ("warn_default_encoding", 0),
        ("safe_path", c.safe_path.into()),
        ("int_max_str_digits", -1),
    ];
    let names = fields.map(|f| f.0);
    let class = structseq::new_class(vm, "sys", "flags", &names, &[], false);
    let items = fields.map(|(name, n)| match name {
        "dev_mode" | "safe_path" => vm.bool(n != 0),
        _ => Value::small(n),
    });
    structseq::new(vm, class, &items)
}

fn info(vm: &mut Vm, name: &str, fields: &[&str], items: &[Value]) -> Value {
    let class = structseq::new_class(vm, "sys", name, fields, &[], false);
    structseq::new(vm, class, items)
}

/// Adds to the module `m`, which is `sys`.
pub fn install(vm: &mut Vm, m: Value) {
    for name in ["meta_path", "path_hooks", "warnoptions"] {
        let l = vm.new_list(&[]);
        set(vm, m, name, l);
        if name == "warnoptions" {
            for o in vm.config.warn_options.clone() {
                let s = vm.new_str(&o);
                vm.list_append(l, s);
            }
        }
    }
    let d = vm.new_dict();
    set(vm, m, "path_importer_cache", d);
    let x = vm.new_dict();
    for o in vm.config.x_options.clone() {
        let (k, v) = match o.split_once('=') {
            Some((k, v)) => (k.to_owned(), Some(v.to_owned())),
            None => (o, None),
        };
        let k = vm.intern(&k);
        let v = match v {
            Some(v) => vm.new_str(&v),
            None => vm.true_,
        };
        vm.dict_set_str(x, k, v);
    }
    set(vm, m, "_xoptions", x);
    let mut names: Vec<&str> = EARLY.iter().copied().chain(MODULES.iter().map(|(n, _)| *n)).collect();
    names.sort_unstable();
    let l = vm.new_list(&[]);
    for n in names {
        let n = vm.intern(n);
        vm.list_append(l, n);
    }
    let t = vm.list_to_tuple(l);
    set(vm, m, "builtin_module_names", t);
    let (none, yes) = (vm.none, vm.true_);
    set(vm, m, "dont_write_bytecode", yes);
    set(vm, m, "pycache_prefix", none);
    let lib = vm.config.lib.clone();
    let home = lib.as_ref().and_then(|l| l.parent()?.parent());
    let stdlib = lib.as_ref().map_or(String::new(), |l| l.display().to_string());
    let prefix = home.map_or_else(|| "/usr/local".to_owned(), |p| p.display().to_string());
    for name in ["prefix", "exec_prefix", "base_prefix", "base_exec_prefix"] {
        let s = vm.new_str(&prefix);
        set(vm, m, name, s);
    }
    for (name, text) in [("platlibdir", "lib"), ("_home", ""), ("abiflags", ""), ("_stdlib_dir", &stdlib)] {
        let s = if name == "_home" { none } else { vm.new_str(text) };
        set(vm, m, name, s);
    }
    let exe = vm.config.executable.clone();
    let exe = vm.new_str(&exe);
    set(vm, m, "_base_executable", exe);
    let f = flags(vm);
    set(vm, m, "flags", f);
    let final_ = vm.intern("final");
    let v = info(
        vm,
        "version_info",
        &["major", "minor", "micro", "releaselevel", "serial"],
        &[Value::small(3), Value::small(11), Value::small(2), final_, Value::small(0)],
    );
    set(vm, m, "version_info", v);
    let int = Value::small;
    let v = info(
        vm,
        "float_info",
        &[
            "max", "max_exp", "max_10_exp", "min", "min_exp", "min_10_exp", "dig", "mant_dig", "epsilon", "radix",
            "rounds",
        ],
        &[
            Value::float(f64::MAX),
            int(1024),
            int(308),
            Value::float(f64::MIN_POSITIVE),
            int(-1021),
            int(-307),
            int(15),
            int(53),
            Value::float(f64::EPSILON),
            int(2),
            int(1),
        ],
    );
    set(vm, m, "float_info", v);
    let v = info(
        vm,
        "int_info",
        &["bits_per_digit", "sizeof_digit", "default_max_str_digits", "str_digits_check_threshold"],
        &[int(30), int(4), int(4300), int(640)],
    );
    set(vm, m, "int_info", v);
    let modulus = vm.new_int((1 << 61) - 1);
    let algorithm = vm.intern("siphash13");
    let v = info(
        vm,
        "hash_info",
        &["width", "modulus", "inf", "nan", "imag", "algorithm", "hash_bits", "seed_bits", "cutoff"],
        &[int(64), modulus, int(314_159), int(0), int(1_000_003), algorithm, int(64), int(128), int(0)],
    );
    set(vm, m, "hash_info", v);
    let (a, b) = (vm.intern("pthread"), vm.intern("semaphore"));
    let v = info(vm, "thread_info", &["name", "lock", "version"], &[a, b, none]);
    set(vm, m, "thread_info", v);
}
