//! `reader`: a state machine over the characters of lines.

use super::dialect::{Options, from_arguments};
use super::{Quoting, error};
use crate::{set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

object_layout! {
    /// `reader`
    Reader [Library, VALUES] { it: Value, dialect: Value, line_num: Value }
}

fn reader(v: Value) -> Gc<Reader> {
    Gc::from_value(v)
}

/// `reader(iterable, dialect='excel', **fmtparams)`
pub(super) fn new(vm: &mut Vm, a: &[Value]) -> R {
    let it = vm.get_iter(a[0])?;
    let dialect = from_arguments(vm, a[1], a[2])?;
    let class = Gc::from_value(vm.statics[slots::CSV_READER]);
    let v = vm.new_instance(class);
    reader(v).it.set(it);
    reader(v).dialect.set(dialect);
    reader(v).line_num.set(Value::small(0));
    vm.write_barrier(v);
    Ok(v)
}

static METHODS: [NativeDef; 2] = [
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    next_def!(step),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    StartRecord,
    StartField,
    Escaped,
    Field,
    Quoted,
    EscapedInQuoted,
    QuoteInQuoted,
    EatNewline,
    AfterEscapedNewline,
}

/// A record in the making.
struct Record {
    options: Options,
    state: State,
    field: Vec<u32>,
    numeric: bool,
    limit: i64,
    /// A list of the fields so far.
    fields: Value,
}

/// End of a line.
const END: Option<u32> = None;

impl Record {
    fn add(&mut self, vm: &mut Vm, c: u32) -> R<()> {
        if self.field.len() as i64 >= self.limit {
            let m = format!("field larger than field limit ({})", self.limit);
            return Err(error(vm, &m));
        }
        self.field.push(c);
        Ok(())
    }

    fn save(&mut self, vm: &mut Vm) -> R<()> {
        let mut v = vm.new_str_points(&self.field);
        self.field.clear();
        if self.numeric {
            self.numeric = false;
            let float = vm.types.float.value();
            v = vm.call(float, &[v])?;
        }
        vm.list_append(self.fields, v);
        Ok(())
    }

    /// A field ends with its line.
    fn end_line(&mut self, vm: &mut Vm, c: Option<u32>) -> R<()> {
        self.save(vm)?;
        self.state = if c == END {
            State::StartRecord
        } else {
            State::EatNewline
        };
        Ok(())
    }

    fn process(&mut self, vm: &mut Vm, c: Option<u32>) -> R<()> {
        let newline = matches!(c, Some(0x0a | 0x0d));
        let ends = newline || c == END;
        let quoting = self.options.quoting != Quoting::None;
        let is_quote = c != END && c == self.options.quotechar && quoting;
        let is_escape = c != END && c == self.options.escapechar;
        let is_delimiter = c == Some(self.options.delimiter);
        match self.state {
            State::StartRecord if c == END => {}
            State::StartRecord if newline => self.state = State::EatNewline,
            State::StartRecord | State::StartField => {
                if ends {
                    return self.end_line(vm, c);
                }
                if is_quote {
                    self.state = State::Quoted;
                } else if is_escape {
                    self.state = State::Escaped;
                } else if c == Some(0x20) && self.options.skipinitialspace {
                    self.state = State::StartField;
                } else if is_delimiter {
                    self.save(vm)?;
                    self.state = State::StartField;
                } else {
                    self.numeric = self.options.quoting == Quoting::Nonnumeric;
                    self.state = State::Field;
                    return self.add(vm, c.unwrap_or(0));
                }
            }
            State::Escaped => {
                self.state = if newline {
                    State::AfterEscapedNewline
                } else {
                    State::Field
                };
                return self.add(vm, c.unwrap_or(0x0a));
            }
            State::AfterEscapedNewline if c == END => {}
            State::AfterEscapedNewline | State::Field => {
                self.state = State::Field;
                if ends {
                    return self.end_line(vm, c);
                }
                if is_escape {
                    self.state = State::Escaped;
                } else if is_delimiter {
                    self.save(vm)?;
                    self.state = State::StartField;
                } else {
                    return self.add(vm, c.unwrap_or(0));
                }
            }
            State::Quoted => {
                if c == END {
                    return Ok(());
                }
                if is_escape {
                    self.state = State::EscapedInQuoted;
                } else if is_quote {
                    self.state = if self.options.doublequote {
                        State::QuoteInQuoted
                    } else {
                        State::Field
                    };
                } else {
                    return self.add(vm, c.unwrap_or(0));
                }
            }
            State::EscapedInQuoted => {
                self.state = State::Quoted;
                return self.add(vm, c.unwrap_or(0x0a));
            }
            State::QuoteInQuoted => {
                if is_quote {
                    self.state = State::Quoted;
                    return self.add(vm, c.unwrap_or(0));
                }
                if is_delimiter {
                    self.save(vm)?;
                    self.state = State::StartField;
                } else if ends {
                    return self.end_line(vm, c);
                } else if !self.options.strict {
                    self.state = State::Field;
                    return self.add(vm, c.unwrap_or(0));
                } else {
                    let char = |c: u32| char::from_u32(c).unwrap_or('\u{fffd}');
                    let m = format!(
                        "'{}' expected after '{}'",
                        char(self.options.delimiter),
                        char(self.options.quotechar.unwrap_or(0x22))
                    );
                    return Err(error(vm, &m));
                }
            }
            State::EatNewline => {
                if c == END {
                    self.state = State::StartRecord;
                } else if !newline {
                    let m = "new-line character seen in unquoted field - do you need to open the file in universal-newline mode?";
                    return Err(error(vm, m));
                }
            }
        }
        Ok(())
    }
}

fn step(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let r = reader(v);
    let limit = vm.statics[slots::CSV_LIMIT];
    let mut record = Record {
        options: Options::of(vm, r.dialect.get()),
        state: State::StartRecord,
        field: Vec::new(),
        numeric: false,
        limit: vm.int_to_i64(limit).unwrap_or(i64::MAX),
        fields: vm.new_list(&[]),
    };
    loop {
        let Some(line) = vm.iter_next(r.it.get())? else {
            if !record.field.is_empty() || record.state == State::Quoted {
                if record.options.strict {
                    return Err(error(vm, "unexpected end of data"));
                }
                record.save(vm)?;
                return Ok(Some(record.fields));
            }
            return Ok(None);
        };
        let Some(line) = vm.as_str(line) else {
            let m = format!(
                "iterator should return strings, not {} (the file should be opened in text mode)",
                vm.class_name(line)
            );
            return Err(error(vm, &m));
        };
        let n = vm.int_to_i64(r.line_num.get()).unwrap_or(0);
        let n = vm.new_int(n + 1);
        r.line_num.set(n);
        vm.write_barrier(v);
        for c in vm.text(line).iter() {
            record.process(vm, Some(c))?;
        }
        record.process(vm, END)?;
        if record.state == State::StartRecord {
            return Ok(Some(record.fields));
        }
    }
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = vm.native_type(&TypeDef {
        module: "_csv",
        methods: &METHODS,
        ..TypeDef::of::<Reader>("reader", Layout::Library)
    });
    for (i, name) in ["dialect", "line_num"].into_iter().enumerate() {
        let key = vm.intern(name);
        let member = vm.new_member(key, t, Reader::WORDS - 2 + i, true);
        vm.type_set(t, name, member);
    }
    vm.statics[slots::CSV_READER] = t.value();
    set(vm, m, "Reader", t.value());
}
