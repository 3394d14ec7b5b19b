//! Text form, written. What is printed depends on nothing but the trace's structure: values and
//! snapshots are numbered in order of appearance, objects by first mention (`$0`), never by address.
//!
//! [`Trace`] implements `Display`; [`Trace::print_noted`] adds a comment per op.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Display, Formatter, Write};

use crate::effects::{CallTarget, ClassSet};
use crate::ops::{Imm, OpCode};
use crate::snapshot::{Resume, Snapshot, Width};
use crate::trace::{Op, Trace, TraceKind};
use crate::types::{Const, OpRef, SnapshotId, Ty};
use crate::word;

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print_noted(|_| None))
    }
}

impl Trace {
    /// The text form with `note(op)` as a comment behind each op that has one.
    pub fn print_noted(&self, mut note: impl FnMut(OpRef) -> Option<String>) -> String {
        let mut printer = Printer::new(self);
        for (r, op) in self.iter() {
            printer.op(r, op);
            if let Some(text) = note(r) {
                write!(printer.out, "  ; {text}").expect("writing to a String cannot fail");
            }
            printer.out.push('\n');
        }
        printer.finish()
    }

    /// The names values have in the text form, by op index (empty for ops without result).
    #[must_use]
    pub fn value_names(&self) -> Vec<String> {
        let mut count = 0;
        let name = |op: &Op| {
            if op.ty == Ty::Unit {
                return String::new();
            }
            count += 1;
            format!("{}{}", op.ty.letter(), count - 1)
        };
        self.ops.iter().map(name).collect()
    }
}

struct Printer<'t> {
    trace: &'t Trace,
    names: Vec<String>,
    snapshots: HashMap<SnapshotId, usize>,
    objects: HashMap<u64, usize>,
    /// Numbers of the functions that are called, by call table row.
    functions: HashMap<usize, usize>,
    out: String,
}

/// Formatting into the `String` of a printer.
macro_rules! put {
    ($printer:expr, $($arg:tt)*) => {
        write!($printer.out, $($arg)*).expect("writing to a String cannot fail")
    };
}

impl<'t> Printer<'t> {
    fn new(trace: &'t Trace) -> Printer<'t> {
        let mut printer = Printer {
            trace,
            names: trace.value_names(),
            snapshots: HashMap::new(),
            objects: HashMap::new(),
            functions: HashMap::new(),
            out: String::new(),
        };
        match trace.kind {
            TraceKind::Root => put!(printer, "trace root {} {{\n", trace.id.0),
            TraceKind::Bridge { parent, exit } => {
                put!(
                    printer,
                    "trace bridge {} of {} exit {} {{\n",
                    trace.id.0,
                    parent.0,
                    exit.0
                );
            }
        }
        let calls = trace.ops.iter().filter(|op| op.code == OpCode::Call);
        let rows: BTreeSet<usize> = calls.map(|op| op.imm as usize).collect();
        for (number, row) in rows.into_iter().enumerate() {
            printer.functions.insert(row, number);
            printer.target(number, &trace.calls[row]);
        }
        printer
    }

    fn finish(mut self) -> String {
        self.out.push_str("}\n");
        self.out
    }

    fn target(&mut self, index: usize, target: &CallTarget) {
        let params = target
            .params
            .iter()
            .map(|ty| ty.name())
            .collect::<Vec<_>>()
            .join(", ");
        put!(
            self,
            "  fn{index} = {:?} ({params}) -> {} {{",
            target.name,
            target.ret.name()
        );
        let mut words = Vec::new();
        let classes = |set: ClassSet| {
            if set == ClassSet::ALL {
                return "all".to_owned();
            }
            set.iter()
                .map(|class| format!("c{}", class.0))
                .collect::<Vec<_>>()
                .join(" ")
        };
        if !target.effects.reads.is_empty() {
            words.push(format!("reads {}", classes(target.effects.reads)));
        }
        if !target.effects.writes.is_empty() {
            words.push(format!("writes {}", classes(target.effects.writes)));
        }
        for (flag, word) in [
            (target.effects.may_raise, "raise"),
            (target.effects.may_collect, "collect"),
            (target.effects.may_call, "call"),
        ] {
            if flag {
                words.push(word.to_owned());
            }
        }
        put!(self, "{}}}\n", words.join(" "));
    }

    fn op(&mut self, r: OpRef, op: &Op) {
        let info = op.code.info();
        self.out.push_str("  ");
        if op.ty != Ty::Unit {
            let name = self.names[r.as_op().expect("iteration yields op refs")].clone();
            put!(self, "{name} = ");
        }
        if !op.expect {
            self.out.push('!');
        }
        self.out.push_str(info.name);
        let mut sep = " ";
        let operands = if op.code == OpCode::Phi {
            1
        } else {
            info.operands.len()
        };
        for i in 0..operands {
            self.out.push_str(std::mem::replace(&mut sep, ", "));
            self.value(op.operand(i));
        }
        for imm in info.imms {
            self.out.push_str(std::mem::replace(&mut sep, ", "));
            self.imm(op, *imm);
        }
        if let Some(snap) = op.snap {
            self.snapshot(snap);
        }
    }

    fn imm(&mut self, op: &Op, imm: Imm) {
        match imm {
            Imm::Slot | Imm::Offset | Imm::Root => put!(self, "{}", op.imm),
            Imm::Param => put!(self, "{} {}", op.imm, op.ty.name()),
            Imm::Shape => put!(self, "{}", op.shape_id()),
            Imm::Class => put!(self, "c{}", op.class.0),
            Imm::Object => {
                let header = self.trace.as_int(op.a).unwrap_or_default();
                put!(self, "{}, {header:#x}", op.imm);
            }
            Imm::Call => {
                put!(self, "fn{} ", self.functions[&(op.imm as usize)]);
                self.list(op);
            }
            Imm::Phis => self.list(op),
        }
    }

    fn list(&mut self, op: &Op) {
        self.out.push('[');
        for (i, &r) in self.trace.list(op.list).iter().enumerate() {
            self.out.push_str(if i == 0 { "" } else { ", " });
            self.value(r);
        }
        self.out.push(']');
    }

    fn value(&mut self, r: OpRef) {
        if let Some(i) = r.as_op() {
            let name = self.names.get(i).filter(|name| !name.is_empty());
            let name = name.cloned().unwrap_or_else(|| format!("{r:?}"));
            self.out.push_str(&name);
        } else if let Some(i) = r.as_virtual() {
            put!(self, "o{i}");
        } else {
            match self.trace.as_const(r) {
                Some(Const::Int(i)) => put!(self, "{i}"),
                Some(Const::Flt(bits)) => self.double(f64::from_bits(bits)),
                Some(Const::Val(0)) => self.out.push_str("null"),
                Some(Const::Val(w)) if word::is_int(w) => put!(self, "&{}", word::unbox_int(w)),
                Some(Const::Val(w)) if word::is_flt(w) => {
                    self.out.push('&');
                    self.double(word::unbox_flt(w));
                }
                Some(Const::Val(w)) => {
                    let next = self.objects.len();
                    let number = *self.objects.entry(w).or_insert(next);
                    put!(self, "${number}");
                }
                None => self.out.push('-'),
            }
        }
    }

    fn double(&mut self, value: f64) {
        if value.is_nan() {
            put!(self, "nan")
        } else {
            put!(self, "{value:?}")
        }
    }

    fn snapshot(&mut self, id: SnapshotId) {
        let next = self.snapshots.len();
        let mut first = false;
        let number = *self.snapshots.entry(id).or_insert_with(|| {
            first = true;
            next
        });
        put!(self, " @s{number}");
        if first {
            let snapshot = self.trace.snapshot(id);
            self.state(snapshot);
        }
    }

    fn state(&mut self, snapshot: &Snapshot) {
        put!(self, "{{pc {} base {} [", snapshot.pc, snapshot.base);
        for (i, &(slot, val)) in snapshot.entries.iter().enumerate() {
            put!(self, "{}{slot}: ", if i == 0 { "" } else { ", " });
            self.value(val);
        }
        self.out.push(']');
        if let Resume::Finish { stage, val } = snapshot.mode {
            put!(self, " finish {stage} ");
            self.value(val);
        }
        for (i, object) in snapshot.virtuals.iter().enumerate() {
            put!(self, " o{i} = new {}, {:#x} [", object.words, object.header);
            for (j, field) in object.fields.iter().enumerate() {
                put!(self, "{}{}: ", if j == 0 { "" } else { ", " }, field.offset);
                self.value(field.val);
                match field.width {
                    Width::Val => {}
                    Width::I64 => self.out.push_str(" i64"),
                    Width::U32 => self.out.push_str(" u32"),
                    Width::U16 => self.out.push_str(" u16"),
                    Width::U8 => self.out.push_str(" u8"),
                }
                put!(self, " c{}", field.class.0);
            }
            self.out.push(']');
        }
        self.out.push('}');
    }
}
