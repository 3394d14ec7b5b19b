//! None, cells, modules, code objects, mapping proxies, namespaces and frames:
//! their attributes.

use crate::function::or_none;
use crate::layout::{Array, Gc, Layout, PyCell, PyCode, PyFrame, PyFunction, PyModule, PyValueSub};
use crate::native::{GetSetDef, NativeDef, class_def, def, effects, getset, getter, static_def};
use crate::vm::{R, Vm};
use pyrite_bytecode::CodeFlags;
use pyrite_machine::Value;

static NONE: &[NativeDef] = &[
    static_def("__new__", "(type, /)", effects::PURE, |vm, _| Ok(vm.none)),
    def("__repr__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.intern("None"))
    }),
    def("__bool__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.false_)
    }),
];
static ELLIPSIS: &[NativeDef] = &[
    static_def("__new__", "(type, /)", effects::PURE, |vm, _| {
        Ok(vm.ellipsis)
    }),
    def("__repr__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.intern("Ellipsis"))
    }),
    def("__reduce__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.intern("Ellipsis"))
    }),
];
static NOT_IMPLEMENTED: &[NativeDef] = &[
    def("__bool__", "($self, /)", effects::ANY, |vm, _| {
        let class = vm.types.deprecation_warning;
        vm.warn(
            class,
            "NotImplemented should not be used in a boolean context",
        )?;
        Ok(vm.true_)
    }),
    static_def("__new__", "(type, /)", effects::PURE, |vm, _| {
        Ok(vm.not_implemented)
    }),
    def("__repr__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.intern("NotImplemented"))
    }),
    def("__reduce__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.intern("NotImplemented"))
    }),
];

/// Order of cells: by content, an empty one before all others.
fn cell_compare(vm: &mut Vm, a: &[Value], op: crate::CmpOp) -> R {
    if vm.layout_of(a[1]) != Layout::Cell {
        return Ok(vm.not_implemented);
    }
    let (x, y) = (
        Gc::<PyCell>::from_value(a[0]).content.get(),
        Gc::<PyCell>::from_value(a[1]).content.get(),
    );
    if x.is_some() && y.is_some() {
        return vm.compare(op, x, y);
    }
    let (x, y) = (i32::from(x.is_some()), i32::from(y.is_some()));
    vm.compare(op, Value::small(x), Value::small(y))
}

macro_rules! cell_comparison {
    ($name:literal, $op:ident) => {
        def($name, "($self, value, /)", effects::ANY, |vm, a| {
            cell_compare(vm, a, crate::CmpOp::$op)
        })
    };
}

static CELL: &[NativeDef] = &[
    cell_comparison!("__lt__", Lt),
    cell_comparison!("__le__", Le),
    cell_comparison!("__eq__", Eq),
    cell_comparison!("__ne__", Ne),
    cell_comparison!("__gt__", Gt),
    cell_comparison!("__ge__", Ge),
    static_def(
        "__new__",
        "(type, contents=None, /)",
        effects::ALLOC,
        |vm, a| {
            let c = vm.alloc::<PyCell>(vm.types.cell);
            c.content.set(a[1]);
            Ok(c.value())
        },
    ),
    def("__repr__", "($self, /)", effects::ALLOC, |vm, a| {
        vm.heap_pin(a[0]);
        let v = Gc::<PyCell>::from_value(a[0]).content.get();
        let what = if v.is_null() {
            "empty".to_string()
        } else {
            if v.is_ptr() {
                vm.heap_pin(v);
            }
            format!("{} object at {:#x}", vm.class_name(v), v.bits())
        };
        Ok(vm.new_str(&format!("<cell at {:#x}: {what}>", a[0].bits())))
    }),
];
static CELL_FIELDS: &[GetSetDef] = &[getset(
    "cell_contents",
    |vm, c| {
        let v = Gc::<PyCell>::from_value(c).content.get();
        if v.is_null() {
            return Err(vm.value_error("Cell is empty"));
        }
        Ok(v)
    },
    |vm, c, v| {
        Gc::<PyCell>::from_value(c).content.set(v);
        vm.write_barrier(c);
        Ok(())
    },
)];

static MODULE: &[NativeDef] = &[
    static_def(
        "__new__",
        "(type, /, *args, **kwargs)",
        effects::ALLOC,
        |vm, a| {
            let m = vm.new_instance(Gc::from_value(a[0]));
            let d = vm.new_dict();
            vm.store_word(m, 1, d);
            Ok(m)
        },
    ),
    def(
        "__init__",
        "($self, name, doc=None)",
        effects::ANY,
        module_init,
    ),
    def("__repr__", "($self, /)", effects::ANY, module_repr),
    def("__dir__", "($self, /)", effects::ANY, |vm, a| {
        let d = vm.getattr(a[0], vm.names.dict)?;
        if !vm.is_dict(d) {
            return Err(vm.type_error("<module>.__dict__ is not a dictionary"));
        }
        let hook = vm.dict_get_str(d, vm.names.dir);
        if hook.is_some() {
            return vm.call(hook, &[]);
        }
        let l = vm.new_list(&[]);
        let mut pos = 0;
        while let Some((k, _)) = vm.dict_next(d, &mut pos) {
            vm.list_append(l, k);
        }
        Ok(l)
    }),
];
static MODULE_FIELDS: &[GetSetDef] = &[
    getter("__dict__", |_, m| {
        Ok(Gc::<PyModule>::from_value(m).dict.get())
    }),
    getset(
        "__annotations__",
        |vm, m| {
            let (d, name) = (
                Gc::<PyModule>::from_value(m).dict.get(),
                vm.names.annotations,
            );
            let v = vm.dict_get_str(d, name);
            if v.is_some() {
                return Ok(v);
            }
            let v = vm.new_dict();
            vm.dict_set_str(d, name, v);
            Ok(v)
        },
        |vm, m, v| {
            let (d, name) = (
                Gc::<PyModule>::from_value(m).dict.get(),
                vm.names.annotations,
            );
            if v.is_some() {
                vm.dict_set_str(d, name, v);
            } else if vm.dict_remove_str(d, name).is_null() {
                return Err(vm.attribute_error("__annotations__"));
            }
            Ok(())
        },
    ),
];

static CODE: &[NativeDef] = &[
    def("co_positions", "($self, /)", effects::ALLOC, positions),
    def("co_lines", "($self, /)", effects::ALLOC, lines),
    def("__repr__", "($self, /)", effects::ALLOC, code_repr),
];
static CODE_FIELDS: &[GetSetDef] = &[
    getter("co_name", |vm, c| Ok(vm.code_data(c).name)),
    getter("co_qualname", |vm, c| Ok(vm.code_data(c).qualname)),
    getter("co_filename", |vm, c| Ok(vm.code_data(c).filename)),
    getter("co_varnames", |vm, c| Ok(vm.code_data(c).varnames)),
    getter("co_names", |vm, c| Ok(vm.code_data(c).names)),
    getter("co_cellvars", |vm, c| Ok(vm.code_data(c).cellvars)),
    getter("co_freevars", |vm, c| Ok(vm.code_data(c).freevars)),
    getter("co_argcount", |vm, c| {
        Ok(Value::small(vm.code_data(c).arg_count as i32))
    }),
    getter("co_posonlyargcount", |vm, c| {
        Ok(Value::small(vm.code_data(c).posonly_count as i32))
    }),
    getter("co_kwonlyargcount", |vm, c| {
        Ok(Value::small(vm.code_data(c).kwonly_count as i32))
    }),
    getter("co_nlocals", |vm, c| {
        let n = vm.tuple_len(vm.code_data(c).varnames);
        Ok(Value::small(n as i32))
    }),
    getter("co_stacksize", |vm, c| {
        Ok(Value::small(vm.code_data(c).frame_size as i32))
    }),
    getter("co_firstlineno", |vm, c| {
        Ok(Value::small(vm.code_data(c).first_line as i32))
    }),
    getter("co_flags", |vm, c| {
        let f = vm.code_data(c).flags.0 & !CodeFlags::NAMESPACE;
        Ok(vm.new_int(f.into()))
    }),
    getter("co_consts", |vm, c| {
        let d = vm.code_data(c);
        let n = d.unit.consts.len();
        let t = vm.new_tuple_uninit(n);
        for i in 0..n {
            // SAFETY: the code has that many constants.
            let v = unsafe { *d.consts.add(i) };
            vm.tuple_init(t, i, v);
        }
        Ok(t)
    }),
    getter("co_code", |vm, c| {
        let mut b = Vec::new();
        for i in &vm.code_data(c).instrs {
            b.extend_from_slice(&i.to_le_bytes());
        }
        Ok(vm.new_bytes(&b))
    }),
];

static PROXY: &[NativeDef] = &[
    static_def("__new__", "(type, mapping, /)", effects::ANY, |vm, a| {
        let c = vm.class_of(a[1]);
        if vm.lookup(c, vm.names.getitem).is_null()
            || vm.is_list(a[1])
            || vm.as_tuple(a[1]).is_some()
        {
            let m = format!(
                "mappingproxy() argument must be a mapping, not {}",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        let p = vm.new_instance(vm.types.mappingproxy);
        vm.store_word(p, 1, a[1]);
        Ok(p)
    }),
    def("__getitem__", "($self, key, /)", effects::ANY, |vm, a| {
        vm.getitem(inside(a[0]), a[1])
    }),
    def("__contains__", "($self, key, /)", effects::ANY, |vm, a| {
        let r = vm.contains(inside(a[0]), a[1])?;
        Ok(vm.bool(r))
    }),
    def("__len__", "($self, /)", effects::ANY, |vm, a| {
        let n = vm.len(inside(a[0]))?;
        Ok(vm.new_int(n as i64))
    }),
    def("__iter__", "($self, /)", effects::ANY, |vm, a| {
        vm.get_iter(inside(a[0]))
    }),
    def("__repr__", "($self, /)", effects::ANY, |vm, a| {
        let m = format!("mappingproxy({})", vm.repr_string(inside(a[0]))?);
        Ok(vm.new_str(&m))
    }),
    def("__str__", "($self, /)", effects::ANY, |vm, a| {
        vm.str(inside(a[0]))
    }),
    def("__eq__", "($self, other, /)", effects::ANY, |vm, a| {
        let other = if vm.layout_of(a[1]) == Layout::MappingProxy {
            inside(a[1])
        } else {
            a[1]
        };
        let r = vm.eq(inside(a[0]), other)?;
        Ok(vm.bool(r))
    }),
    def("__or__", "($self, other, /)", effects::ANY, |vm, a| {
        proxy_or(vm, a[0], a[1])
    }),
    def("__ror__", "($self, other, /)", effects::ANY, |vm, a| {
        proxy_or(vm, a[1], a[0])
    }),
    def("__ior__", "($self, other, /)", effects::ANY, |vm, a| {
        let m = format!(
            "'|=' is not supported by {}; use '|' instead",
            vm.class_name(a[0])
        );
        Err(vm.type_error(&m))
    }),
    def("__reversed__", "($self, /)", effects::ANY, |vm, a| {
        let n = vm.names.reversed;
        vm.call_method(inside(a[0]), n, &[])
    }),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        crate::list::class_getitem,
    ),
    def(
        "get",
        "($self, key, default=None, /)",
        effects::ANY,
        |vm, a| {
            let n = vm.intern("get");
            let d = or_none(vm, a[2]);
            vm.call_method(inside(a[0]), n, &[a[1], d])
        },
    ),
    def("keys", "($self, /)", effects::ANY, |vm, a| {
        let n = vm.names.keys;
        vm.call_method(inside(a[0]), n, &[])
    }),
    def("values", "($self, /)", effects::ANY, |vm, a| {
        let n = vm.names.values;
        vm.call_method(inside(a[0]), n, &[])
    }),
    def("items", "($self, /)", effects::ANY, |vm, a| {
        let n = vm.names.items;
        vm.call_method(inside(a[0]), n, &[])
    }),
    def("copy", "($self, /)", effects::ANY, |vm, a| {
        let n = vm.intern("copy");
        vm.call_method(inside(a[0]), n, &[])
    }),
];

/// The union of two mappings of which at least one is a proxy.
fn proxy_or(vm: &mut Vm, left: Value, right: Value) -> R {
    let plain = |vm: &Vm, v: Value| {
        if vm.layout_of(v) == Layout::MappingProxy {
            inside(v)
        } else {
            v
        }
    };
    let (left, right) = (plain(vm, left), plain(vm, right));
    vm.binary(crate::ops::BinOp::Or, left, right, false)
}

static NAMESPACE: &[NativeDef] = &[
    def("__init__", "($self, /, **kwargs)", effects::ANY, |vm, a| {
        let mut pos = 0;
        while let Some((k, v)) = vm.dict_next(a[1], &mut pos) {
            let k = vm.attr_name(k)?;
            vm.instance_set(a[0], k, v);
        }
        Ok(vm.none)
    }),
    def("__repr__", "($self, /)", effects::ANY, namespace_repr),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let (class, state) = (vm.class_of(a[0]).value(), vm.instance_dict(a[0]));
        let none = vm.empty_tuple;
        Ok(vm.new_tuple(&[class, none, state]))
    }),
    def("__eq__", "($self, other, /)", effects::ANY, |vm, a| {
        if vm.layout_of(a[1]) != Layout::Namespace {
            return Ok(vm.not_implemented);
        }
        let (x, y) = (vm.instance_dict(a[0]), vm.instance_dict(a[1]));
        let r = vm.eq(x, y)?;
        Ok(vm.bool(r))
    }),
];

static FRAME_FIELDS: &[GetSetDef] = &[
    getter("f_code", |_, f| {
        let func = Gc::<PyFrame>::from_value(f).func.get();
        Ok(Gc::<PyFunction>::from_value(func).code.get())
    }),
    getter("f_globals", |_, f| {
        Ok(Gc::<PyFrame>::from_value(f).globals.get())
    }),
    getter("f_builtins", |vm, _| Ok(vm.builtins)),
    getter("f_back", |vm, f| {
        let b = (frame_hooks(vm).back)(vm, f);
        Ok(or_none(vm, b))
    }),
    getter("f_lasti", |vm, f| {
        let i = (frame_hooks(vm).index)(vm, f);
        Ok(vm.new_int(i as i64 * 2))
    }),
    getter("f_lineno", |vm, f| {
        if Gc::<PyFrame>::from_value(f).line.get() == AT_DEFINITION {
            let func = Gc::<PyFrame>::from_value(f).func.get();
            let code = vm.code_data(Gc::<PyFunction>::from_value(func).code.get());
            return Ok(Value::small(code.first_line as i32));
        }
        let i = (frame_hooks(vm).index)(vm, f);
        let func = Gc::<PyFrame>::from_value(f).func.get();
        let code = vm.code_data(Gc::<PyFunction>::from_value(func).code.get());
        Ok(match code.pos(i).line {
            0 => vm.none,
            line => Value::small(line as i32),
        })
    }),
    getter("f_locals", frame_locals),
    getset(
        "f_trace_lines",
        |vm, f| {
            let off = trace_flag(f, NO_LINES);
            Ok(vm.bool(!off))
        },
        |vm, f, v| set_trace_flag(vm, f, NO_LINES, v, true),
    ),
    getset(
        "f_trace_opcodes",
        |vm, f| {
            let on = trace_flag(f, OPCODES);
            Ok(vm.bool(on))
        },
        |vm, f, v| set_trace_flag(vm, f, OPCODES, v, false),
    ),
    getset(
        "f_trace",
        |vm, f| Ok(or_none(vm, Gc::<PyFrame>::from_value(f).trace.get())),
        |vm, f, v| {
            Gc::<PyFrame>::from_value(f).trace.set(v);
            vm.write_barrier(f);
            Ok(())
        },
    ),
];
/// A traced frame's `line` while its call is reported.
pub const AT_DEFINITION: Value = Value::small(-1);
/// Bits of a frame's `trace_flags`: no line events; an event for each instruction.
pub const NO_LINES: i64 = 1;
pub const OPCODES: i64 = 2;

fn trace_flag(f: Value, bit: i64) -> bool {
    let flags = Gc::<PyFrame>::from_value(f).trace_flags.get();
    flags.as_int().unwrap_or(0) & bit != 0
}

fn set_trace_flag(vm: &mut Vm, f: Value, bit: i64, on: Value, inverted: bool) -> R<()> {
    if on != vm.true_ && on != vm.false_ {
        return Err(vm.type_error("attribute value type must be bool"));
    }
    let frame = Gc::<PyFrame>::from_value(f);
    let old = frame.trace_flags.get().as_int().unwrap_or(0);
    let new = if (on == vm.true_) != inverted {
        old | bit
    } else {
        old & !bit
    };
    frame.trace_flags.set(Value::small(new as i32));
    Ok(())
}

static FRAME: &[NativeDef] = &[
    def("__repr__", "($self, /)", effects::ALLOC, |vm, a| {
        vm.heap_pin(a[0]);
        let func = Gc::<PyFrame>::from_value(a[0]).func.get();
        let i = (frame_hooks(vm).index)(vm, a[0]);
        let code = vm.code_data(Gc::<PyFunction>::from_value(func).code.get());
        let m = format!(
            "<frame at {:#x}, file '{}', line {}, code {}>",
            a[0].bits(),
            vm.str_to_string(code.filename),
            code.line(i),
            vm.str_to_string(code.name)
        );
        Ok(vm.new_str(&m))
    }),
    def("clear", "($self, /)", effects::ANY, |vm, a| {
        let f = Gc::<PyFrame>::from_value(a[0]);
        if f.window.get() != 0 {
            return Err(vm.runtime_error("cannot clear an executing frame"));
        }
        let g = f.generator.get();
        if g.is_some() && vm.generator_state(g) != crate::generator::state::FINISHED {
            // As if the generator died.
            let name = vm.intern("__del__");
            if let Err(crate::Raised) = vm.call_method(g, name, &[]) {
                crate::misc::unraisable(vm, g);
            }
        }
        f.regs.set(Value::NULL);
        f.locals.set(Value::NULL);
        Ok(vm.none)
    }),
];

/// What the interpreter tells about frames.
#[derive(Clone, Copy)]
pub struct FrameHooks {
    /// The frame object `depth` levels out from the running one; null: no such.
    pub at: fn(&mut Vm, usize) -> Value,
    /// The calling frame's object, or null.
    pub back: fn(&mut Vm, Value) -> Value,
    /// Index of the instruction the frame is at.
    pub index: fn(&mut Vm, Value) -> usize,
    /// The frame object of a window of any thread.
    pub of_window: fn(&mut Vm, *mut Value) -> Value,
    /// Visits the frames of a thread from a window and instruction pointer outwards:
    /// code and line. Allocates nothing.
    pub lines: fn(*mut Value, u64, &mut dyn FnMut(&crate::code::CodeData, u32) -> bool),
    /// Unsets the registers that no running frame will read again.
    pub clear_dead: fn(&mut Vm),
    /// The frame object of a generator that has not ended, or null.
    pub of_generator: fn(&mut Vm, Value) -> Value,
}

impl Vm {
    /// Unsets the registers that no running frame will read again, so that an
    /// explicit collection does not take them for live.
    pub fn clear_dead_registers(&mut self) {
        (self.frame_hooks.clear_dead)(self);
    }
}

/// The hooks in force: answers for ended frames alone until the interpreter
/// installs its own.
pub fn frame_hooks(vm: &Vm) -> FrameHooks {
    vm.frame_hooks
}

/// Answers that need no interpreter.
pub const ENDED_FRAMES: FrameHooks = FrameHooks {
    at: |_, _| Value::NULL,
    back: |_, f| Gc::<PyFrame>::from_value(f).back.get(),
    index: |_, f| Gc::<PyFrame>::from_value(f).lasti.get() as usize,
    of_window: |_, _| Value::NULL,
    lines: |_, _, _| {},
    clear_dead: |_| {},
    of_generator: |_, _| Value::NULL,
};

/// Gives these classes their attributes.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    for (c, methods) in [
        (t.none, NONE),
        (t.ellipsis, ELLIPSIS),
        (t.not_implemented, NOT_IMPLEMENTED),
        (t.cell, CELL),
        (t.module, MODULE),
        (t.code, CODE),
        (t.mappingproxy, PROXY),
        (t.namespace, NAMESPACE),
        (t.frame, FRAME),
    ] {
        vm.add_methods(c, methods);
    }
    let (none, types) = (vm.none, vm.intern("types"));
    vm.type_set(t.cell, "__hash__", none);
    t.namespace.module.set(types);
    vm.write_barrier(t.namespace.value());
    for (c, fields) in [
        (t.cell, CELL_FIELDS),
        (t.module, MODULE_FIELDS),
        (t.code, CODE_FIELDS),
        (t.frame, FRAME_FIELDS),
    ] {
        vm.add_getset(c, fields);
    }
}

fn inside(v: Value) -> Value {
    Gc::<PyValueSub>::from_value(v).inner.get()
}

fn module_init(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_str(a[1]) {
        let m = format!(
            "module() argument 'name' must be str, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    let d = Gc::<PyModule>::from_value(a[0]).dict.get();
    let (n, none) = (vm.names, vm.none);
    let doc = or_none(vm, a[2]);
    for (k, v) in [
        (n.name, a[1]),
        (n.doc, doc),
        (n.package, none),
        (n.loader, none),
        (n.spec, none),
    ] {
        vm.dict_set_str(d, k, v);
    }
    Ok(none)
}

fn module_repr(vm: &mut Vm, a: &[Value]) -> R {
    // importlib knows loaders and specifications, once it runs.
    let key = vm.intern("_frozen_importlib");
    let importlib = vm.dict_get_str(vm.modules, key);
    if importlib.is_some() && vm.layout_of(importlib) == Layout::Module {
        let f = vm.getattr_str(importlib, "_module_repr")?;
        return vm.call(f, &[a[0]]);
    }
    let d = Gc::<PyModule>::from_value(a[0]).dict.get();
    let (n, f) = (
        vm.dict_get_str(d, vm.names.name),
        vm.dict_get_str(d, vm.names.file),
    );
    let name = if n.is_some() {
        vm.repr_string(n)?
    } else {
        "'?'".to_string()
    };
    let m = if f.is_some() {
        format!("<module {name} from {}>", vm.repr_string(f)?)
    } else {
        let spec = vm.dict_get_str(d, vm.names.spec);
        if spec.is_some() && spec != vm.none {
            format!("<module {name} (built-in)>")
        } else {
            format!("<module {name}>")
        }
    };
    Ok(vm.new_str(&m))
}

fn code_repr(vm: &mut Vm, a: &[Value]) -> R {
    vm.heap_pin(a[0]);
    let d = vm.code_data(a[0]);
    let m = format!(
        "<code object {} at {:#x}, file \"{}\", line {}>",
        vm.str_to_string(d.name),
        a[0].bits(),
        vm.str_to_string(d.filename),
        d.first_line
    );
    Ok(vm.new_str(&m))
}

fn positions(vm: &mut Vm, a: &[Value]) -> R {
    let code: Gc<PyCode> = Gc::from_value(a[0]);
    let l = vm.new_list(&[]);
    let d = vm.code_data(code.value());
    for p in &d.positions {
        let number = |vm: &Vm, n: u32, known: bool| {
            if known {
                Value::small(n as i32)
            } else {
                vm.none
            }
        };
        let known = p.line != 0;
        let column = |c: u16| known && c != pyrite_bytecode::Pos::NO_COLUMN;
        let items = [
            number(vm, p.line, known),
            number(vm, p.end_line, known),
            number(vm, p.col.into(), column(p.col)),
            number(vm, p.end_col.into(), column(p.end_col)),
        ];
        let t = vm.new_tuple(&items);
        vm.list_append(l, t);
    }
    vm.get_iter(l)
}

fn lines(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.code_data(a[0]);
    let l = vm.new_list(&[]);
    let mut i = 0;
    while i < d.positions.len() {
        let line = d.positions[i].line;
        let mut j = i + 1;
        while j < d.positions.len() && d.positions[j].line == line {
            j += 1;
        }
        let line = if line == 0 {
            vm.none
        } else {
            Value::small(line as i32)
        };
        let t = vm.new_tuple(&[Value::small(i as i32 * 2), Value::small(j as i32 * 2), line]);
        vm.list_append(l, t);
        i = j;
    }
    vm.get_iter(l)
}

fn namespace_repr(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let name = if class == vm.types.namespace {
        "namespace".to_string()
    } else {
        vm.type_name(class)
    };
    if vm.repr_enter(a[0]) {
        return Ok(vm.new_str(&format!("{name}(...)")));
    }
    let d = vm.instance_dict(a[0]);
    let mut parts = Vec::new();
    let mut pos = 0;
    let mut failed = false;
    while let Some((k, v)) = vm.dict_next(d, &mut pos) {
        match vm.repr_string(v) {
            Ok(r) => parts.push(format!("{}={r}", vm.str_to_string(k))),
            Err(_) => {
                failed = true;
                break;
            }
        }
    }
    vm.repr_leave();
    if failed {
        return Err(crate::Raised);
    }
    Ok(vm.new_str(&format!("{name}({})", parts.join(", "))))
}

/// The frame's variables: the namespace itself, or a dict brought up to date at
/// each request.
fn frame_locals(vm: &mut Vm, frame: Value) -> R {
    let f = Gc::<PyFrame>::from_value(frame);
    let code = vm.code_data(Gc::<PyFunction>::from_value(f.func.get()).code.get());
    let (window, saved) = (f.window.get() as *const Value, f.regs.get());
    let reg = |i: usize| {
        if !window.is_null() {
            // SAFETY: a register of the live window.
            unsafe { *window.add(i) }
        } else if saved.is_some() && i < Gc::<Array>::from_value(saved).cap.get() {
            Gc::<Array>::from_value(saved).at(i)
        } else {
            Value::NULL
        }
    };
    if code.flags.has(CodeFlags::NAMESPACE) {
        let ns = reg(0);
        return Ok(if ns.is_null() { f.globals.get() } else { ns });
    }
    let mut d = f.locals.get();
    if d.is_null() {
        d = vm.new_dict();
        f.locals.set(d);
        vm.write_barrier(frame);
    }
    let store = |vm: &mut Vm, name: Value, mut v: Value| {
        if v.is_some() && vm.layout_of(v) == Layout::Cell {
            v = Gc::<PyCell>::from_value(v).content.get();
        }
        if v.is_some() {
            vm.dict_set_str(d, name, v);
        } else {
            vm.dict_remove_str(d, name);
        }
    };
    for (i, &n) in vm.tuple_items(code.varnames).iter().enumerate() {
        store(vm, n, reg(i));
    }
    for (i, &n) in vm.tuple_items(code.cellvars).iter().enumerate() {
        store(vm, n, reg(code.cell_regs[i] as usize));
    }
    for (i, &n) in vm.tuple_items(code.freevars).iter().enumerate() {
        store(vm, n, reg(code.free_regs[i] as usize));
    }
    Ok(d)
}
