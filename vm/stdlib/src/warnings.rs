//! The `_warnings` module: decides what becomes of a warning.
//!
//! Filters live in a list that `warnings` shares; the first that matches names
//! the action. A module's `__warningregistry__` remembers what was shown, and is
//! forgotten when the filters' version changes.

use crate::{module, module_attr, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 3] = [
    def(
        "warn",
        "(message, category=None, stacklevel=1, source=None)",
        effects::ANY,
        warn,
    ),
    def(
        "warn_explicit",
        "(message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)",
        effects::ANY,
        warn_explicit,
    ),
    def("_filters_mutated", "()", effects::WRITES, |vm, _| {
        let n = version(vm);
        vm.statics[slots::WARN_VERSION] = Value::int_unchecked(n + 1);
        Ok(vm.none)
    }),
];

fn version(vm: &Vm) -> i64 {
    vm.statics[slots::WARN_VERSION].as_int().unwrap_or(0)
}

/// Where a warning is said to come from.
struct Place {
    filename: Value,
    lineno: Value,
    module: Value,
    registry: Value,
}

fn category_of(vm: &mut Vm, message: Value, category: Value) -> R {
    let warning = vm.types.warning;
    if vm.is_instance(message, warning) {
        return Ok(vm.class_of(message).value());
    }
    if category.is_null() || category == vm.none {
        return Ok(vm.types.user_warning.value());
    }
    if vm.is_type(category) && vm.is_subclass(Gc::from_value(category), warning) {
        return Ok(category);
    }
    let name = if vm.is_type(category) {
        vm.type_name(vm.class_of(category))
    } else {
        vm.class_name(category)
    };
    let m = format!("category must be a Warning subclass, not '{name}'");
    Err(vm.type_error(&m))
}

/// The frame that many Python calls up, or null.
fn frame(vm: &mut Vm, up: i64) -> R {
    let key = vm.intern("_getframe");
    let f = vm.dict_get_str(vm.sys_dict, key);
    if f.is_null() {
        return Ok(f);
    }
    let level = vm.new_int(up.max(0));
    match vm.call(f, &[level]) {
        Ok(f) => Ok(f),
        Err(_) if vm.exc_is(vm.types.value_error) => {
            vm.exc = Value::NULL;
            Ok(Value::NULL)
        }
        Err(e) => Err(e),
    }
}

/// True for a frame of the import system, which is no one's caller.
fn is_internal(vm: &mut Vm, f: Value) -> R<bool> {
    let code = vm.getattr_str(f, "f_code")?;
    let name = vm.getattr_str(code, "co_filename")?;
    let name = vm.str_to_string(name);
    Ok(name.contains("importlib") && name.contains("_bootstrap"))
}

/// The frame that a warning with this `stacklevel` is about, or null.
fn blamed(vm: &mut Vm, stacklevel: i64) -> R {
    if stacklevel <= 1 {
        return frame(vm, 0);
    }
    let mut f = frame(vm, 0)?;
    if f.is_null() || is_internal(vm, f)? {
        return frame(vm, stacklevel - 1);
    }
    for _ in 1..stacklevel {
        loop {
            f = vm.getattr_str(f, "f_back")?;
            if f == vm.none {
                return Ok(Value::NULL);
            }
            if !is_internal(vm, f)? {
                break;
            }
        }
    }
    Ok(f)
}

fn place(vm: &mut Vm, stacklevel: i64) -> R<Place> {
    let f = blamed(vm, stacklevel)?;
    let (globals, filename, lineno) = if f.is_some() {
        let code = vm.getattr_str(f, "f_code")?;
        (
            vm.getattr_str(f, "f_globals")?,
            vm.getattr_str(code, "co_filename")?,
            vm.getattr_str(f, "f_lineno")?,
        )
    } else {
        let g = vm.current_globals();
        let g = if g.is_null() { vm.sys_dict } else { g };
        (g, vm.intern("sys"), Value::small(1))
    };
    let key = vm.intern("__warningregistry__");
    let mut registry = vm.dict_get_str(globals, key);
    if registry.is_null() {
        registry = vm.new_dict();
        vm.dict_set_str(globals, key, registry);
    }
    let mut module = vm.dict_get_str(globals, vm.names.name);
    if module.is_null() || !vm.is_str(module) {
        module = vm.intern("<string>");
    }
    Ok(Place {
        filename,
        lineno,
        module,
        registry,
    })
}

/// Warns as Rust code does: `category(message)`, for the Python code that runs.
pub fn warn_str(vm: &mut Vm, category: Gc<PyType>, message: &str, stacklevel: i64) -> R<()> {
    if vm.statics[slots::WARN_FILTERS].is_null() {
        crate::builtin_module(vm, "_warnings")?;
    }
    let m = vm.new_str(message);
    let p = place(vm, stacklevel)?;
    decide(vm, m, category.value(), &p, Value::NULL)?;
    Ok(())
}

/// Warns about a line of a source file that is not running: `category(message)`.
///
/// # Errors
/// The warning, if a filter makes an error of it; what a replaced function raises.
pub fn warn_at(
    vm: &mut Vm,
    category: Gc<PyType>,
    message: &str,
    filename: Value,
    line: u32,
) -> R<()> {
    if vm.statics[slots::WARN_FILTERS].is_null() {
        crate::builtin_module(vm, "_warnings")?;
    }
    let message = vm.new_str(message);
    let line = Value::int_unchecked(line.into());
    let null = Value::NULL;
    let args = [
        message,
        category.value(),
        filename,
        line,
        null,
        null,
        null,
        null,
    ];
    warn_explicit(vm, &args)?;
    Ok(())
}

fn warn(vm: &mut Vm, a: &[Value]) -> R {
    let category = category_of(vm, a[0], a[1])?;
    let level = if a[2].is_null() {
        1
    } else {
        vm.index_i64(a[2], true)?
    };
    let p = place(vm, level)?;
    decide(vm, a[0], category, &p, a[3])
}

fn warn_explicit(vm: &mut Vm, a: &[Value]) -> R {
    let none = vm.none;
    let category = category_of(vm, a[0], a[1])?;
    let module = if a[4].is_null() || a[4] == none {
        match vm.as_str(a[2]) {
            Some(s) => {
                let t = vm.str_to_string(s);
                let t = t.strip_suffix(".py").unwrap_or(&t);
                vm.new_str(if t.is_empty() { "<unknown>" } else { t })
            }
            None => a[4],
        }
    } else {
        a[4]
    };
    let registry = if a[5].is_null() || a[5] == none {
        Value::NULL
    } else if vm.is_dict(a[5]) {
        a[5]
    } else {
        return Err(vm.type_error("'registry' must be a dict or None"));
    };
    let p = Place {
        filename: a[2],
        lineno: a[3],
        module,
        registry,
    };
    decide(vm, a[0], category, &p, a[7])
}

/// True if `pattern` of a filter (None, a string, or a regular expression) fits.
fn fits(vm: &mut Vm, pattern: Value, text: Value) -> R<bool> {
    if pattern == vm.none {
        return Ok(true);
    }
    if vm.layout_of(pattern) == Layout::Str {
        return vm.eq(pattern, text);
    }
    let name = vm.intern("match");
    let r = vm.call_method(pattern, name, &[text])?;
    vm.truth(r)
}

fn action(vm: &mut Vm, text: Value, category: Value, p: &Place) -> R<(String, Value)> {
    let mut filters = module_attr(vm, "warnings", "filters");
    if filters.is_null() {
        filters = vm.statics[slots::WARN_FILTERS];
    }
    if !vm.is_list(filters) {
        return Err(vm.value_error("_warnings.filters must be a list"));
    }
    let mut i = 0;
    while i < vm.list_len(filters) {
        let item = vm.list_get(filters, i);
        let Some(t) = vm.as_tuple(item).filter(|&t| vm.tuple_len(t) == 5) else {
            let m = format!("_warnings.filters item {i} isn't a 5-tuple");
            return Err(vm.value_error(&m));
        };
        let get = |vm: &Vm, k: usize| vm.tuple_get(t, k);
        let Some(action) = vm.as_str(get(vm, 0)) else {
            let m = format!(
                "action must be a string, not '{}'",
                vm.class_name(get(vm, 0))
            );
            return Err(vm.type_error(&m));
        };
        let line = get(vm, 4);
        if fits(vm, get(vm, 1), text)?
            && vm.issubclass(category, get(vm, 2))?
            && fits(vm, get(vm, 3), p.module)?
            && (line == Value::small(0) || vm.eq(line, p.lineno)?)
        {
            return Ok((vm.str_to_string(action), item));
        }
        i += 1;
    }
    let mut default = module_attr(vm, "warnings", "defaultaction");
    if default.is_null() {
        default = module_attr(vm, "_warnings", "_defaultaction");
    }
    let name = if default.is_null() {
        "default".to_owned()
    } else {
        vm.str_string(default)?
    };
    Ok((name, vm.none))
}

/// True if `registry` had this key; else enters it.
fn seen(vm: &mut Vm, registry: Value, key: Value) -> R<bool> {
    if registry.is_null() {
        return Ok(false);
    }
    let was = vm.dict_get(registry, key)?;
    if was.is_some() && vm.truth(was)? {
        return Ok(true);
    }
    let yes = vm.true_;
    vm.dict_set(registry, key, yes)?;
    Ok(false)
}

fn decide(vm: &mut Vm, message: Value, category: Value, p: &Place, source: Value) -> R {
    let none = vm.none;
    if p.module == none {
        return Ok(none);
    }
    if p.registry.is_some() {
        let key = vm.intern("version");
        let v = vm.dict_get_str(p.registry, key);
        let now = Value::int_unchecked(version(vm));
        if v != now {
            vm.dict_clear(p.registry);
            vm.dict_set_str(p.registry, key, now);
        }
    }
    let (message, text, category) = if vm.is_instance(message, vm.types.warning) {
        let class = vm.class_of(message).value();
        (message, vm.str(message)?, class)
    } else {
        (vm.call(category, &[message])?, message, category)
    };
    let key = vm.new_tuple(&[text, category, p.lineno]);
    if p.registry.is_some() {
        let was = vm.dict_get(p.registry, key)?;
        if was.is_some() && vm.truth(was)? {
            return Ok(none);
        }
    }
    let (action, item) = action(vm, text, category, p)?;
    match action.as_str() {
        "error" => return Err(vm.raise(message)),
        "ignore" => return Ok(none),
        "always" => {}
        "once" => {
            seen(vm, p.registry, key)?;
            let mut once = module_attr(vm, "warnings", "onceregistry");
            if once.is_null() {
                once = vm.statics[slots::WARN_ONCE];
            }
            let k = vm.new_tuple(&[text, category]);
            if seen(vm, once, k)? {
                return Ok(none);
            }
        }
        "module" => {
            seen(vm, p.registry, key)?;
            let k = vm.new_tuple(&[text, category, Value::small(0)]);
            if seen(vm, p.registry, k)? {
                return Ok(none);
            }
        }
        "default" => {
            seen(vm, p.registry, key)?;
        }
        _ => {
            let shown = vm.repr_string(item)?;
            let m = format!("Unrecognized action ({action}) in warnings.filters:\n {shown}");
            return Err(vm.runtime_error(&m));
        }
    }
    show(vm, message, text, category, p, source)
}

fn show(vm: &mut Vm, message: Value, text: Value, category: Value, p: &Place, source: Value) -> R {
    let none = vm.none;
    let source = if source.is_null() { none } else { source };
    if source != none {
        vm.import_module("warnings")?;
    }
    let f = module_attr(vm, "warnings", "_showwarnmsg");
    if f.is_some() {
        let class = module_attr(vm, "warnings", "WarningMessage");
        if class.is_null() {
            return Err(vm.runtime_error("unable to get warnings.WarningMessage"));
        }
        let w = vm.call(
            class,
            &[message, category, p.filename, p.lineno, none, none, source],
        )?;
        return vm.call(f, &[w]);
    }
    let name = vm.type_name(Gc::from_value(category));
    let line = vm.str_string(p.lineno)?;
    let file = vm.str_string(p.filename)?;
    let mut out = format!("{file}:{line}: {name}: {}\n", vm.str_string(text)?);
    if let (Ok(n), Ok(content)) = (line.parse::<usize>(), std::fs::read_to_string(&file))
        && let Some(l) = content.lines().nth(n.wrapping_sub(1))
    {
        out.push_str(&format!("  {}\n", l.trim()));
    }
    pyrite_objects::traceback::write_stderr(vm, &out);
    Ok(none)
}

/// Makes the module, with the filters a fresh process has.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_warnings", "What becomes of a warning.", &FUNCTIONS);
    let none = vm.none;
    let filters = vm.new_list(&[]);
    let t = vm.types;
    if !vm.config.dev_mode {
        let main = vm.intern("__main__");
        for (action, class, module) in [
            ("default", t.deprecation_warning, main),
            ("ignore", t.deprecation_warning, none),
            ("ignore", t.pending_deprecation_warning, none),
            ("ignore", t.import_warning, none),
            ("ignore", t.resource_warning, none),
        ] {
            let action = vm.intern(action);
            let f = vm.new_tuple(&[action, none, class.value(), module, Value::small(0)]);
            vm.list_append(filters, f);
        }
    }
    vm.statics[slots::WARN_FILTERS] = filters;
    set(vm, m, "filters", filters);
    let once = vm.new_dict();
    vm.statics[slots::WARN_ONCE] = once;
    set(vm, m, "_onceregistry", once);
    let default = vm.intern("default");
    set(vm, m, "_defaultaction", default);
    Ok(m)
}
