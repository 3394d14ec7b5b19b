//! Programs from seeds.
//!
//! A program has classes, functions, generators and closures of random make, a
//! function `main` of hot loops that uses them, sometimes a hot loop at module
//! level, and an end that prints the state of everything. Variables are named by
//! what they mostly hold (`i` ints, `x` floats, `s` strings, `l` lists, `d` dicts,
//! `e` sets, `t` tuples, `o` objects, `z` anything), so that most operations
//! succeed and an exception is an event.
//!
//! What bounds a program: loops run over small ranges, `while` counts down on a
//! line that shrinking cannot remove, products are taken modulo something, and
//! each outer loop cuts numbers and containers back.

mod defs;
mod expr;
mod focus;
mod lean;
mod stmt;

use crate::tree::{Stmt, block, line};
use pyrite_jit_fuzz::Rng;

/// The program of a seed.
pub fn program(seed: u64) -> Vec<Stmt> {
    let mut g = Gen::new(seed);
    let mut all: Vec<Stmt> = PRELUDE.trim().split("\n\n").map(line).collect();
    g.definitions(&mut all);
    let main = g.main_body();
    all.append(&mut g.extra);
    all.push(block("def main()", main));
    let repeat = if g.rng.chance(15) { 2 } else { 1 };
    if g.rng.chance(25) {
        all.extend(g.module_loop());
    }
    for _ in 0..repeat {
        if g.rng.chance(80) {
            all.push(line(
                "try:\n    main()\nexcept Exception as e:\n    report(e)",
            ));
        } else {
            all.push(line("main()"));
        }
    }
    all.push(line(EPILOGUE.trim()));
    all
}

/// Names an expression may read and a statement may write.
#[derive(Clone, Default)]
struct Env {
    ints: Vec<String>,
    /// Ints that only loops write.
    counters: Vec<String>,
    floats: Vec<String>,
    strs: Vec<String>,
    lists: Vec<String>,
    dicts: Vec<String>,
    sets: Vec<String>,
    tuples: Vec<String>,
    objects: Vec<String>,
    anys: Vec<String>,
    /// Generator objects, which may be exhausted.
    generators: Vec<String>,
    /// Functions of one int.
    closures: Vec<String>,
}

struct Gen {
    rng: Rng,
    env: Env,
    classes: usize,
    /// Functions of ints that may be called here.
    functions: Vec<defs::Signature>,
    raisers: usize,
    generators: usize,
    /// Loops that the statement may be repeated by.
    loops: u32,
    /// Loops of this function around the statement.
    inside: u32,
    /// Compound statements around it.
    depth: u32,
    /// Names made so far.
    fresh: u32,
    /// Inside `main`, which everything is defined for.
    in_main: bool,
    /// Calls of functions with loops that may still be generated here.
    heavy: u32,
    /// Things in focus so far.
    focuses: usize,
    /// What they need before `main`.
    extra: Vec<Stmt>,
    /// What they need at its start.
    setup: Vec<Stmt>,
}

impl Gen {
    fn new(seed: u64) -> Gen {
        Gen {
            rng: Rng::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x7A11_F022),
            env: Env::default(),
            classes: 0,
            functions: Vec::new(),
            raisers: 0,
            generators: 0,
            loops: 0,
            inside: 0,
            depth: 0,
            fresh: 0,
            in_main: false,
            heavy: 0,
            focuses: 0,
            extra: Vec::new(),
            setup: Vec::new(),
        }
    }

    fn pick(&mut self, names: &[String]) -> Option<String> {
        if names.is_empty() {
            None
        } else {
            Some(names[self.rng.below(names.len())].clone())
        }
    }

    fn name(&mut self, stem: &str) -> String {
        self.fresh += 1;
        format!("{stem}{}", self.fresh)
    }

    /// The body of `main`: variables, then loops and other statements.
    fn main_body(&mut self) -> Vec<Stmt> {
        self.in_main = true;
        self.heavy = 3;
        let mut head = vec![line("global g0, g1, gx"), line("acc = 1")];
        self.variables(&mut head);
        let mut body = Vec::new();
        for _ in 0..1 + self.rng.below(2) {
            if self.rng.chance(40) {
                let s = self.statement();
                body.push(s);
            }
            let l = if self.rng.chance(30) {
                self.lean_loop()
            } else {
                self.hot_loop()
            };
            body.push(l);
        }
        let show = self.state();
        body.push(line(format!("out(acc, {show})")));
        if self.rng.chance(50) {
            body.push(line("out(sorted(locals()))"));
        }
        self.in_main = false;
        head.append(&mut self.setup);
        head.extend(body);
        head
    }

    /// The names of all variables, for printing.
    fn state(&self) -> String {
        let e = &self.env;
        [
            &e.ints, &e.floats, &e.strs, &e.lists, &e.dicts, &e.sets, &e.tuples, &e.objects,
            &e.anys,
        ]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
    }

    /// Gives the scope variables of every kind.
    fn variables(&mut self, body: &mut Vec<Stmt>) {
        let mut e = Env::default();
        for i in 0..2 + self.rng.below(2) {
            let v = self.int_literal();
            body.push(line(format!("i{i} = {v}")));
            e.ints.push(format!("i{i}"));
        }
        for i in 0..1 + self.rng.below(2) {
            let v = self.float_literal();
            body.push(line(format!("x{i} = {v}")));
            e.floats.push(format!("x{i}"));
        }
        body.push(line("s0 = 'abc'"));
        e.strs.push("s0".into());
        self.env = e;
        let (a, b, c) = (self.int(1), self.int(1), self.int_literal());
        body.push(line(format!("l0 = [{a}, {b}, {c}]")));
        self.env.lists.push("l0".into());
        if self.rng.chance(50) {
            let (a, b) = (self.int(1), self.int(1));
            body.push(line(format!("d0 = {{1: {a}, 'k': {b}}}")));
            self.env.dicts.push("d0".into());
        }
        if self.rng.chance(30) {
            let a = self.int_literal();
            body.push(line(format!("e0 = {{1, 2, {a}}}")));
            self.env.sets.push("e0".into());
        }
        if self.rng.chance(40) {
            let (a, b) = (self.int(1), self.float(1));
            body.push(line(format!("t0 = ({a}, {b})")));
            self.env.tuples.push("t0".into());
        }
        if self.classes > 0 {
            for i in 0..1 + self.rng.below(2) {
                let k = self.rng.below(self.classes);
                let (a, b) = (self.int(1), self.int(1));
                body.push(line(format!("o{i} = K{k}({a}, {b})")));
                self.env.objects.push(format!("o{i}"));
            }
        }
        if self.rng.chance(50) {
            let v = self.any(1);
            body.push(line(format!("z0 = {v}")));
            self.env.anys.push("z0".into());
        }
        if self.generators > 0 && self.rng.chance(35) {
            let k = self.rng.below(self.generators);
            body.push(line(format!("y0 = G{k}(40)")));
            self.env.generators.push("y0".into());
        }
        if self.rng.chance(35) {
            let a = self.int(1);
            body.push(line(format!("c0 = closure({a})")));
            self.env.closures.push("c0".into());
        }
    }

    /// A hot loop in the module's own namespace.
    fn module_loop(&mut self) -> Vec<Stmt> {
        let outer = std::mem::take(&mut self.env);
        self.env.ints = vec!["g0".into(), "g1".into()];
        self.env.floats = vec!["gx".into()];
        self.env.lists = vec!["gl".into()];
        self.env.objects = if self.classes > 0 {
            vec!["go".into()]
        } else {
            Vec::new()
        };
        self.heavy = 1;
        let l = self.hot_loop();
        self.env = outer;
        vec![l]
    }
}

/// What every program has: printing without addresses, reports of exceptions with
/// line numbers and locals, looks at frames, helpers of one meaning.
const PRELUDE: &str = r#"
import sys

def show(x, d=0):
    t = type(x)
    if x is None or t is bool or t is int or t is float or t is str:
        return repr(x)
    if d > 3:
        return '...'
    if t is list or t is tuple:
        return t.__name__ + '(' + ', '.join([show(v, d + 1) for v in x]) + ')'
    if t is dict:
        return '{' + ', '.join([show(k, d + 1) + ': ' + show(v, d + 1) for k, v in x.items()]) + '}'
    if t is set or t is frozenset:
        return t.__name__ + '(' + ', '.join(sorted([show(v, d + 1) for v in x])) + ')'
    if isinstance(x, BaseException):
        return t.__name__ + show(x.args, d + 1)
    if t.__name__[0] == 'K':
        s = t.__name__
        for n in ('a', 'b', 'c', 'extra'):
            try:
                s += ' ' + n + '=' + show(object.__getattribute__(x, n), d + 1)
            except AttributeError:
                pass
        return '<' + s + '>'
    return t.__name__

def out(*args):
    print(*[show(a) for a in args])

def report(e):
    tb = e.__traceback__
    where = []
    while tb is not None:
        f = tb.tb_frame
        where.append(f.f_code.co_name + ':' + str(tb.tb_lineno))
        if f.f_code.co_name == 'main':
            loc = f.f_locals
            out([(k, loc[k]) for k in sorted(loc)])
        tb = tb.tb_next
    out(e, where)
    c = e.__context__
    if c is not None:
        out('context', c, c.__traceback__.tb_lineno)

def peek(name):
    return sys._getframe(1).f_locals.get(name, -1)

def here():
    return sys._getframe(1).f_lineno

def caller():
    f = sys._getframe(1)
    return f.f_code.co_name + str(f.f_lineno)

def generic_add(x, y):
    return x + y

def kind(x):
    return type(x).__name__

def closure(a):
    def inc(x):
        nonlocal a
        a = (a + x) % 1000003
        return a
    return inc

def myabs(x):
    return 7 if x < 0 else x

def mylen(x):
    return 3

def recurse(n, acc):
    if n <= 0:
        return acc
    return recurse(n - 1, acc + n) + 1

g0 = 5

g1 = 1 << 40

gx = 0.5

gl = [1, 2, 3]

go = None
"#;

const EPILOGUE: &str = r#"
out('globals', g0, g1, gx, gl, go)
for _n in sorted(globals()):
    if _n[0] == 'K':
        _k = globals()[_n]
        out(_n, [(k, kind(_k.__dict__[k])) for k in sorted(_k.__dict__) if k != '__weakref__'], getattr(_k, 'count', None))
"#;
