//! Traceback objects, and the text of an uncaught exception.
//!
//! The text is what CPython 3.11 writes: chained exceptions oldest first,
//! frames with their source line and carets under the part that failed, groups
//! as a tree, a suggestion for a misspelt name. Everything goes into one string
//! first; writing it is the last step. A failing `__str__` or an unreadable
//! source file leaves a gap, never an error.

use crate::exceptions::{group, name_error, syntax_error};
use crate::layout::{Gc, PyException, PyFrame, PyFunction, PyTraceback};
use crate::native::{GetSetDef, NativeDef, def, effects, getset, getter, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;
use std::collections::{HashMap, HashSet};

static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "(type, tb_next, tb_frame, tb_lasti, tb_lineno)",
        effects::ALLOC,
        new,
    ),
    def("__dir__", "($self, /)", effects::ALLOC, dir),
];

static FIELDS: &[GetSetDef] = &[
    getset("tb_next", get_next, set_next),
    getter("tb_frame", |_, t| Ok(tb(t).frame.get())),
    getter("tb_lasti", |vm, t| {
        let i = tb(t).lasti.get();
        let offset = match i.as_float() {
            Some(i) => (i * 2.0) as i64,
            None => i.as_int().unwrap_or(0) * 2,
        };
        Ok(vm.new_int(offset))
    }),
    getter("tb_lineno", |_, t| Ok(tb(t).line.get())),
];

/// Gives `traceback` its attributes.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.traceback, METHODS);
    vm.add_getset(vm.types.traceback, FIELDS);
}

fn tb(v: Value) -> Gc<PyTraceback> {
    Gc::from_value(v)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types;
    if a[1] != vm.none && vm.class_of(a[1]) != t.traceback {
        let m = format!(
            "expected traceback object or None, got '{}'",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    if vm.class_of(a[2]) != t.frame {
        let m = format!(
            "traceback() argument 'tb_frame' must be frame, not {}",
            vm.class_name(a[2])
        );
        return Err(vm.type_error(&m));
    }
    let (lasti, line) = (vm.index_i64(a[3], false)?, vm.index_i64(a[4], false)?);
    // An odd offset lies between two instructions: at the index of none.
    let lasti = if lasti % 2 == 0 {
        vm.new_int(lasti / 2)
    } else {
        Value::float(lasti as f64 / 2.0)
    };
    let line = vm.new_int(line);
    let v = vm.alloc::<PyTraceback>(t.traceback);
    v.next.set(a[1]);
    v.frame.set(a[2]);
    v.lasti.set(lasti);
    v.line.set(line);
    Ok(v.value())
}

fn dir(vm: &mut Vm, _a: &[Value]) -> R {
    let l = vm.new_list(&[]);
    for n in ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"] {
        let s = vm.intern(n);
        vm.list_append(l, s);
    }
    Ok(l)
}

fn get_next(vm: &mut Vm, t: Value) -> R {
    let n = tb(t).next.get();
    Ok(if n.is_null() { vm.none } else { n })
}

fn set_next(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    if v.is_null() {
        return Err(vm.type_error("can't delete tb_next attribute"));
    }
    if v != vm.none && vm.class_of(v) != vm.types.traceback {
        let m = format!(
            "expected traceback object or None, got '{}'",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    }
    let mut p = v;
    while p != vm.none && p.is_some() {
        if p == t {
            return Err(vm.value_error("traceback loop detected"));
        }
        p = tb(p).next.get();
    }
    tb(t).next.set(v);
    vm.write_barrier(t);
    Ok(())
}

/// The text of an exception with its traceback, as CPython prints it.
pub fn format_exception(vm: &mut Vm, e: Value) -> String {
    // What goes wrong on the way must not replace what is being handled.
    let pending = vm.take_exc();
    let mut p = Printer {
        out: String::new(),
        seen: HashSet::new(),
        files: HashMap::new(),
        depth: 0,
        need_close: false,
    };
    p.exception_recursive(vm, e);
    vm.exc = pending;
    p.out
}

/// Prints an uncaught exception: by `sys.excepthook` if the program set one,
/// else to `sys.stderr`.
pub fn print_uncaught(vm: &mut Vm, e: Value) {
    let name = vm.names.excepthook;
    let hook = sys_attr(vm, name);
    let default = vm.intern("__excepthook__");
    let default = sys_attr(vm, default);
    flush_stdout(vm);
    if hook.is_some() && hook != default {
        let class = vm.class_of(e).value();
        let t = traceback_of(vm, e);
        if vm.call(hook, &[class, e, t]).is_ok() {
            return;
        }
        let second = vm.take_exc();
        if vm.is_instance(second, vm.types.system_exit) {
            vm.exc = second;
            return;
        }
        write_stderr(vm, "Error in sys.excepthook:\n");
        let text = format_exception(vm, second);
        write_stderr(vm, &text);
        write_stderr(vm, "\nOriginal exception was:\n");
    }
    let text = format_exception(vm, e);
    write_stderr(vm, &text);
}

/// Ends a program: the exit code for the exception that left it, which is
/// printed unless it is SystemExit.
pub fn exit_code(vm: &mut Vm, e: Value) -> i32 {
    if !vm.is_instance(e, vm.types.system_exit) {
        let tb = traceback_of(vm, e);
        if vm.sys_dict.is_some() {
            let (d, n) = (vm.sys_dict, vm.names);
            let class = vm.class_of(e).value();
            vm.dict_set_str(d, n.last_type, class);
            vm.dict_set_str(d, n.last_value, e);
            vm.dict_set_str(d, n.last_traceback, tb);
        }
        print_uncaught(vm, e);
        let from_hook = vm.take_exc();
        if from_hook.is_some() && vm.is_instance(from_hook, vm.types.system_exit) {
            return exit_code(vm, from_hook);
        }
        return if vm.is_instance(e, vm.types.keyboard_interrupt) {
            130
        } else {
            1
        };
    }
    let code = vm.word(e, crate::exceptions::VALUE);
    if code.is_null() || code == vm.none {
        return 0;
    }
    if let Some(i) = vm.as_int(code) {
        return match vm.int_to_i64(i) {
            Some(n) => n as i32,
            None => -1,
        };
    }
    flush_stdout(vm);
    let text = vm.str(code).unwrap_or(vm.empty_str);
    vm.exc = Value::NULL;
    write_stderr_str(vm, text);
    write_stderr(vm, "\n");
    1
}

fn sys_attr(vm: &mut Vm, name: Value) -> Value {
    if vm.sys_dict.is_null() {
        return Value::NULL;
    }
    vm.dict_get_str(vm.sys_dict, name)
}

fn flush_stdout(vm: &mut Vm) {
    let (stdout, flush) = (vm.names.stdout, vm.names.flush);
    let f = sys_attr(vm, stdout);
    if f.is_some() && f != vm.none && vm.call_method(f, flush, &[]).is_err() {
        vm.exc = Value::NULL;
    }
}

/// Writes to `sys.stderr`, or to the file descriptor when there is none.
pub fn write_stderr(vm: &mut Vm, text: &str) {
    let text = vm.new_str(text);
    write_stderr_str(vm, text);
}

/// The same with a `str`, which may have lone surrogates.
fn write_stderr_str(vm: &mut Vm, text: Value) {
    let (stderr, write) = (vm.names.stderr, vm.names.write);
    let f = sys_attr(vm, stderr);
    if f.is_some() && f != vm.none {
        if vm.call_method(f, write, &[text]).is_ok() {
            let flush = vm.names.flush;
            if vm.call_method(f, flush, &[]).is_err() {
                vm.exc = Value::NULL;
            }
            return;
        }
        vm.exc = Value::NULL;
    }
    eprint!("{}", vm.str_to_string(text));
}

fn traceback_of(vm: &Vm, e: Value) -> Value {
    let t = Gc::<PyException>::from_value(e).traceback.get();
    if t.is_null() { vm.none } else { t }
}

/// Deepest nesting and most members of groups that are shown.
const MAX_GROUP_DEPTH: usize = 10;
const MAX_GROUP_WIDTH: usize = 15;
/// Equal frames shown before the rest is only counted.
const RECURSIVE_CUTOFF: usize = 3;
/// Frames shown at most.
const LIMIT: usize = 1000;

struct Printer {
    out: String,
    /// Addresses of exceptions already shown (each is held by the chain).
    seen: HashSet<u64>,
    files: HashMap<String, Option<Vec<String>>>,
    depth: usize,
    need_close: bool,
}

impl Printer {
    fn margin(&mut self) {
        for _ in 0..self.depth * 2 {
            self.out.push(' ');
        }
        if self.depth > 0 {
            self.out.push_str("| ");
        }
    }

    fn line(&mut self, text: &str) {
        self.margin();
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn exception_recursive(&mut self, vm: &mut Vm, e: Value) {
        if vm.enter_native().is_err() {
            vm.exc = Value::NULL;
            return;
        }
        vm.heap_pin(e);
        self.seen.insert(e.bits());
        let x = Gc::<PyException>::from_value(e);
        let (cause, context) = (x.cause.get(), x.context.get());
        if cause.is_some() && cause != vm.none {
            if !self.seen.contains(&cause.bits()) {
                self.chained(
                    vm,
                    cause,
                    "The above exception was the direct cause of the following exception:",
                );
            }
        } else if context.is_some()
            && context != vm.none
            && x.suppress.get() != Value::small(1)
            && !self.seen.contains(&context.bits())
        {
            self.chained(
                vm,
                context,
                "During handling of the above exception, another exception occurred:",
            );
        }
        if vm.is_instance(e, vm.types.base_exception_group) {
            self.group(vm, e);
        } else {
            self.exception(vm, e);
        }
    }

    fn chained(&mut self, vm: &mut Vm, e: Value, message: &str) {
        let need_close = self.need_close;
        self.exception_recursive(vm, e);
        self.need_close = need_close;
        self.line("");
        self.line(message);
        self.line("");
    }

    fn group(&mut self, vm: &mut Vm, e: Value) {
        if self.depth > MAX_GROUP_DEPTH {
            self.line(&format!("... (max_group_depth is {MAX_GROUP_DEPTH})"));
            return;
        }
        if self.depth == 0 {
            self.depth += 1;
        }
        self.exception(vm, e);
        let members = vm.word(e, group::EXCEPTIONS);
        let members: &[Value] = if members.is_null() {
            &[]
        } else {
            vm.tuple_items(members)
        };
        let n = members.len().min(MAX_GROUP_WIDTH + 1);
        self.need_close = false;
        for (i, &m) in members[..n].iter().enumerate() {
            self.need_close = i == n - 1;
            let truncated = i >= MAX_GROUP_WIDTH;
            let label = if truncated {
                "...".to_string()
            } else {
                (i + 1).to_string()
            };
            let indent = " ".repeat(self.depth * 2);
            let lead = if i == 0 { "+-" } else { "  " };
            self.out.push_str(&format!(
                "{indent}{lead}+---------------- {label} ----------------\n"
            ));
            self.depth += 1;
            if truncated {
                let more = members.len() - MAX_GROUP_WIDTH;
                let s = if more > 1 { "s" } else { "" };
                self.line(&format!("and {more} more exception{s}"));
            } else {
                self.exception_recursive(vm, m);
            }
            if i == n - 1 && self.need_close {
                let indent = " ".repeat(self.depth * 2);
                self.out.push_str(&indent);
                self.out.push_str("+------------------------------------\n");
                self.need_close = false;
            }
            self.depth -= 1;
        }
        if self.depth == 1 {
            self.depth = 0;
        }
    }

    fn exception(&mut self, vm: &mut Vm, e: Value) {
        let t = traceback_of(vm, e);
        if t != vm.none {
            self.traceback(vm, e, t);
        }
        let message = self.syntax_location(vm, e);
        let class = vm.class_of(e);
        let mut text = qualified_name(vm, class.value());
        let message = match message {
            Some(m) => m,
            None => match vm.str_string(e) {
                Ok(s) => s,
                Err(_) => {
                    vm.exc = Value::NULL;
                    "<exception str() failed>".to_string()
                }
            },
        };
        if !message.is_empty() {
            text.push_str(": ");
            text.push_str(&message);
        }
        if let Some(s) = suggestion(vm, e) {
            text.push_str(&format!(". Did you mean: '{s}'?"));
        }
        self.line(&text);
        self.notes(vm, e);
    }

    fn notes(&mut self, vm: &mut Vm, e: Value) {
        let name = vm.names.notes;
        let notes = match vm.getattr_opt(e, name) {
            Ok(n) if n.is_some() => n,
            _ => {
                vm.exc = Value::NULL;
                return;
            }
        };
        if !vm.is_list(notes) && vm.as_tuple(notes).is_none() {
            let r = vm.repr_string(notes).unwrap_or_else(|_| {
                vm.exc = Value::NULL;
                "<__notes__ repr() failed>".to_string()
            });
            self.line(&r);
            return;
        }
        let Ok(t) = vm.tuple_from_iterable(notes) else {
            vm.exc = Value::NULL;
            return;
        };
        for &n in vm.tuple_items(t) {
            let s = vm.str_string(n).unwrap_or_else(|_| {
                vm.exc = Value::NULL;
                "<note str() failed>".to_string()
            });
            if s.is_empty() {
                self.line("");
            }
            for l in s.lines() {
                self.line(l);
            }
        }
    }

    fn traceback(&mut self, vm: &mut Vm, e: Value, first: Value) {
        let is_group = vm.is_instance(e, vm.types.base_exception_group);
        let (header, mark) = if is_group {
            ("Exception Group Traceback (most recent call last):", "+ ")
        } else {
            ("Traceback (most recent call last):", "| ")
        };
        let mut limit = LIMIT;
        let name = vm.intern("tracebacklimit");
        let l = sys_attr(vm, name);
        if l.is_some()
            && let Some(i) = vm.as_int(l)
        {
            limit = match vm.int_to_i64(i) {
                Some(n) => n.max(0) as usize,
                // One too large for that is as good as none.
                None if crate::int::is_negative(vm, i) => 0,
                None => limit,
            };
        }
        if limit == 0 {
            return;
        }
        if is_group && self.depth == 1 {
            self.out.push_str("  ");
            self.out.push_str(mark);
            self.out.push_str(header);
            self.out.push('\n');
        } else {
            self.line(header);
        }
        let mut depth = 0;
        let mut t = first;
        while t != vm.none && t.is_some() {
            depth += 1;
            t = tb(t).next.get();
        }
        t = first;
        while depth > limit {
            depth -= 1;
            t = tb(t).next.get();
        }
        let mut last: Option<(String, i64, String)> = None;
        let mut count = 0;
        while t != vm.none && t.is_some() {
            let entry = tb(t);
            let frame = Gc::<PyFrame>::from_value(entry.frame.get());
            let code = vm.code_data(Gc::<PyFunction>::from_value(frame.func.get()).code.get());
            let file = vm.str_to_string(code.filename);
            let name = vm.str_to_string(code.name);
            let line = entry.line.get().as_int().unwrap_or(0);
            let key = (file, line, name);
            if last.as_ref() == Some(&key) {
                count += 1;
            } else {
                self.repeated(count);
                count = 1;
            }
            if count <= RECURSIVE_CUTOFF {
                let pos = code.pos(entry.lasti.get().as_int().unwrap_or(0) as usize);
                self.frame(vm, &key.0, line, &key.2, pos);
            }
            last = Some(key);
            t = entry.next.get();
        }
        self.repeated(count);
    }

    fn repeated(&mut self, count: usize) {
        if count > RECURSIVE_CUTOFF {
            let n = count - RECURSIVE_CUTOFF;
            let s = if n == 1 { "" } else { "s" };
            self.line(&format!("  [Previous line repeated {n} more time{s}]"));
        }
    }

    fn frame(&mut self, vm: &mut Vm, file: &str, line: i64, name: &str, pos: pyrite_bytecode::Pos) {
        self.line(&format!("  File \"{file}\", line {line}, in {name}"));
        let Some(source) = self.source_line(vm, file, line) else {
            return;
        };
        let blank = |c: char| matches!(c, ' ' | '\t' | '\x0c');
        let stripped = source.trim_start_matches(blank);
        self.line(&format!("    {stripped}"));
        let none = pyrite_bytecode::Pos::NO_COLUMN;
        let columns = pos.col != none && pos.end_col != none;
        if i64::from(pos.line) != line || !columns {
            return;
        }
        let cut = source.chars().count() - stripped.chars().count();
        let start = char_offset(&source, pos.col as usize);
        let mut marks = None;
        let end = if pos.line == pos.end_line {
            let end = char_offset(&source, pos.end_col as usize);
            let (from, to) = (pos.col as usize, pos.end_col as usize);
            if let Some(segment) = source.get(from..to)
                && let Some((l, r)) = crate::anchors::anchors(segment)
            {
                marks = Some((
                    start + char_offset(segment, l),
                    start + char_offset(segment, r),
                ));
            }
            end
        } else {
            source.trim_end_matches(blank).chars().count()
        };
        if end <= start || end - start == stripped.chars().count() && marks.is_none() {
            return;
        }
        let mut carets = String::from("    ");
        for i in cut + 1..=end {
            carets.push(match marks {
                _ if i <= start => ' ',
                Some((l, r)) if !(l < i && i <= r) => '~',
                _ => '^',
            });
        }
        self.line(&carets);
    }

    fn source_line(&mut self, vm: &mut Vm, file: &str, line: i64) -> Option<String> {
        if line < 1 {
            return None;
        }
        if !self.files.contains_key(file) {
            let text = read_source(vm, file);
            self.files.insert(file.to_string(), text);
        }
        self.files
            .get(file)?
            .as_ref()?
            .get(line as usize - 1)
            .cloned()
    }

    /// File, line and text of a SyntaxError; the message then is its `msg`.
    fn syntax_location(&mut self, vm: &mut Vm, e: Value) -> Option<String> {
        use syntax_error as s;
        if !vm.is_instance(e, vm.types.syntax_error) {
            return None;
        }
        let number = |vm: &Vm, w: usize| {
            let v = vm.word(e, w);
            if v.is_null() {
                return None;
            }
            vm.as_int(v).and_then(|i| vm.int_to_i64(i))
        };
        let line = number(vm, s::LINENO)?;
        let file = vm.word(e, s::FILENAME);
        let file = if file.is_null() || file == vm.none {
            "<string>".to_string()
        } else {
            vm.str_string(file).unwrap_or_else(|_| {
                vm.exc = Value::NULL;
                "<string>".to_string()
            })
        };
        let offset = number(vm, s::OFFSET);
        let end_line = number(vm, s::END_LINENO).unwrap_or(line);
        let end_offset = number(vm, s::END_OFFSET).unwrap_or(-1);
        self.line(&format!("  File \"{file}\", line {line}"));
        let text = vm.word(e, s::TEXT);
        if text.is_some() && vm.is_str(text) {
            let text = vm.str_to_string(text);
            let end = if end_line > line {
                text.len() as i64
            } else {
                end_offset
            };
            // No more carets than there is text.
            let end = end.min(text.chars().count() as i64 + 1);
            self.error_text(&text, offset.unwrap_or(-1), end);
        }
        let m = vm.word(e, s::MSG);
        let m = if m.is_null() { vm.none } else { m };
        Some(vm.str_string(m).unwrap_or_else(|_| {
            vm.exc = Value::NULL;
            String::new()
        }))
    }

    fn error_text(&mut self, text: &str, offset: i64, end_offset: i64) {
        let carets = if end_offset > 0 && end_offset > offset {
            end_offset - offset
        } else {
            1
        };
        let mut offset = offset - 1;
        let body = text.trim_start_matches([' ', '\t', '\x0c']);
        offset -= (text.chars().count() - body.chars().count()) as i64;
        let mut body = body.strip_suffix('\n').unwrap_or(body);
        offset = offset.min(body.chars().count() as i64);
        while let Some((first, rest)) = body.split_once('\n') {
            let n = first.chars().count() as i64;
            if n >= offset {
                break;
            }
            offset -= n + 1;
            body = rest;
        }
        self.line(&format!("    {body}"));
        if offset >= 0 {
            let l = format!(
                "    {}{}",
                " ".repeat(offset as usize),
                "^".repeat(carets as usize)
            );
            self.line(&l);
        }
    }
}

/// Lines of a source file, sought along `sys.path` if it is not where its name says.
fn read_source(vm: &mut Vm, file: &str) -> Option<Vec<String>> {
    if file.starts_with('<') && file.ends_with('>') {
        return None;
    }
    let mut bytes = std::fs::read(file).ok();
    if bytes.is_none() {
        let tail = file.rsplit('/').next()?;
        let n = vm.names.path_plain;
        let path = sys_attr(vm, n);
        if path.is_some() && vm.is_list(path) {
            for i in 0..vm.list_len(path) {
                let dir = vm.str_to_string(vm.list_get(path, i));
                bytes = std::fs::read(std::path::Path::new(&dir).join(tail)).ok();
                if bytes.is_some() {
                    break;
                }
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes?).into_owned();
    Some(
        text.split('\n')
            .map(|l| l.strip_suffix('\r').unwrap_or(l).to_string())
            .collect(),
    )
}

fn char_offset(s: &str, bytes: usize) -> usize {
    match s.get(..bytes) {
        Some(t) => t.chars().count(),
        None => s.chars().count(),
    }
}

/// `module.qualname` of a class, without `builtins` and `__main__`.
fn qualified_name(vm: &mut Vm, class: Value) -> String {
    let n = vm.names;
    let mut get = |name: Value| match vm.getattr_opt(class, name) {
        Ok(v) if v.is_some() && vm.is_str(v) => Some(vm.str_to_string(v)),
        _ => {
            vm.exc = Value::NULL;
            None
        }
    };
    let (module, name) = (get(n.module), get(n.qualname));
    let name = name.unwrap_or_else(|| vm.type_name(Gc::from_value(class)));
    match module {
        Some(m) if m == "builtins" || m == "__main__" => name,
        Some(m) => format!("{m}.{name}"),
        None => {
            let d = Gc::<crate::layout::PyType>::from_value(class).module.get();
            if d.is_some() && vm.type_data(Gc::from_value(class)).heap_type {
                format!("<unknown>.{name}")
            } else {
                name
            }
        }
    }
}

/// The name that was probably meant by the one a NameError or AttributeError is about.
fn suggestion(vm: &mut Vm, e: Value) -> Option<String> {
    let t = vm.types;
    let class = vm.class_of(e);
    let scopes = if vm.is_subclass(class, t.attribute_error) {
        let obj = vm.word(e, name_error::OBJ);
        if obj.is_null() {
            return None;
        }
        let dir = vm.names.dir;
        match vm.call_special(obj, dir, &[]) {
            Ok(Some(l)) if vm.is_list(l) => {
                let mut words = strings(vm, vm.list_items(l));
                words.sort();
                vec![words]
            }
            _ => {
                vm.exc = Value::NULL;
                return None;
            }
        }
    } else if vm.is_subclass(class, t.name_error) {
        visible_names(vm, e)?
    } else {
        return None;
    };
    let name = vm.word(e, name_error::NAME);
    if name.is_null() || !vm.is_str(name) {
        return None;
    }
    let name = vm.str_to_string(name);
    scopes.iter().find_map(|words| closest(&name, words))
}

/// The strings among the values.
fn strings(vm: &Vm, values: &[Value]) -> Vec<String> {
    values
        .iter()
        .filter(|&&v| vm.is_str(v))
        .map(|&v| vm.str_to_string(v))
        .collect()
}

/// Names visible where a NameError was raised: locals, globals, builtins. An inner
/// scope's name is meant rather than a closer one of an outer scope.
fn visible_names(vm: &mut Vm, e: Value) -> Option<Vec<Vec<String>>> {
    let mut t = traceback_of(vm, e);
    if t == vm.none {
        return None;
    }
    loop {
        let next = tb(t).next.get();
        if next.is_null() || next == vm.none {
            break;
        }
        t = next;
    }
    let frame = Gc::<PyFrame>::from_value(tb(t).frame.get());
    let f = Gc::<PyFunction>::from_value(frame.func.get());
    let code = vm.code_data(f.code.get());
    let locals = [code.varnames, code.cellvars, code.freevars]
        .iter()
        .flat_map(|&names| strings(vm, vm.tuple_items(names)))
        .collect();
    let mut scopes = vec![locals];
    for d in [f.globals.get(), vm.builtins] {
        let (mut pos, mut keys) = (0, Vec::new());
        while let Some((k, _)) = vm.dict_next(d, &mut pos) {
            keys.extend(strings(vm, &[k]));
        }
        scopes.push(keys);
    }
    Some(scopes)
}

const MOVE_COST: usize = 2;
const CASE_COST: usize = 1;
const MAX_WORD: usize = 40;
const MAX_CANDIDATES: usize = 750;

fn closest(name: &str, words: &[String]) -> Option<String> {
    if words.len() >= MAX_CANDIDATES || name.len() > MAX_WORD {
        return None;
    }
    let mut best: Option<(usize, &String)> = None;
    for w in words {
        if w == name {
            continue;
        }
        let mut limit = (name.len() + w.len() + 3) * MOVE_COST / 6;
        if let Some((d, _)) = best {
            limit = limit.min(d.saturating_sub(1));
        }
        let d = distance(name.as_bytes(), w.as_bytes());
        if d <= limit && best.is_none_or(|b| d < b.0) {
            best = Some((d, w));
        }
    }
    best.map(|b| b.1.clone())
}

/// Levenshtein distance with cheap changes of case.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let cost = |x: u8, y: u8| {
        if x == y {
            0
        } else if x.eq_ignore_ascii_case(&y) {
            CASE_COST
        } else {
            MOVE_COST
        }
    };
    let mut row: Vec<usize> = (0..=b.len()).map(|i| i * MOVE_COST).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) * MOVE_COST;
        for (j, &y) in b.iter().enumerate() {
            let substitute = diagonal + cost(x, y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j].min(row[j + 1]) + MOVE_COST);
        }
    }
    row[b.len()]
}
