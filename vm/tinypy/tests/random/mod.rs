//! Random programs, interpreted against compiled in random settings, with counts of what was
//! reached. Everything follows from a seed.

use pyrite_gc::{Config, Evacuate, Stress};
use pyrite_jit_fuzz::Rng;
use pyrite_jit_opt::{Pass, PassSet};
use pyrite_jit_record::drive::Params;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use tinypy::run;

struct Gen {
    rng: Rng,
    loops: usize,
    /// Integers beyond a word may be met in every turn of a loop: traces hold such with `fold`, and
    /// read them again from objects with `heap`.
    large: bool,
}

impl Gen {
    fn number(&mut self, depth: usize) -> String {
        if depth == 0 || self.rng.chance(25) {
            return match self.rng.below(8) {
                0 => self
                    .rng
                    .pick(
                        &["1", "7", "1.5", "-0.0", "3", "562949953421311"]
                            [..5 + usize::from(self.large)],
                    )
                    .into(),
                1 => "o.f".into(),
                n => self.rng.pick(&["a", "b", "c", "d"][..n.min(4)]).into(),
            };
        }
        let (x, y) = (self.number(depth - 1), self.number(depth - 1));
        match self.rng.below(14) {
            0..=3 => format!("({x} + {y})"),
            4 | 5 => format!("({x} - {y})"),
            6 => match self.rng.below(4) {
                0 => "(a * a)".into(),
                1 => format!("({x} * 3)"),
                _ => format!("({x} * 0.5)"),
            },
            7 => format!(
                "(a {} {})",
                self.rng.pick(&["%", "//"]),
                1 + self.rng.below(99)
            ),
            8 => format!("(b {} a)", self.rng.pick(&["&", "|", "^"])),
            9 => format!("-{x}"),
            10 => self
                .rng
                .pick(&["p.g", "r(a % 4)", "s(b % 9 + 2)", "p.g"])
                .into(),
            11 => format!("({x} / {})", self.rng.pick(&["2", "4.0", "-3"])),
            _ => format!("h{}({x}, {y})", self.rng.below(3)),
        }
    }

    fn condition(&mut self) -> String {
        let (x, y) = (self.number(1), self.number(1));
        let op = self.rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
        match self.rng.below(8) {
            // With a NaN, neither is true.
            7 => self
                .rng
                .pick(&["not d < c and c <= d", "not c < d and d <= c"])
                .into(),
            0 => format!("i{} % {} == 0", self.loops, 2 + self.rng.below(5)),
            1 => "q is None".into(),
            2 => format!("not {x} {op} {y}"),
            3 => format!("{x} {op} {y} and b {op} a"),
            4 => format!("{x} {op} {y} or c {op} a"),
            _ => format!("{x} {op} {y}"),
        }
    }

    fn statement(&mut self, indent: usize, out: &mut String) {
        let pad = "    ".repeat(indent);
        let large = std::mem::replace(&mut self.large, true);
        let rare = self.number(2);
        self.large = large;
        let e = self.number(2);
        let line = match self.rng.below(22) {
            // Errors, late: a missing attribute, None, integers beyond 64 bits, too deep a recursion.
            19 if self.rng.chance(25) => format!(
                "if i0 == {}:\nPAD    {}",
                30 + self.rng.below(60),
                self.rng.pick(&[
                    "d = p.extra",
                    "d = q.f",
                    "b = (b + 65536) * b * b * b",
                    "d = r(a)"
                ])
            ),
            // The sum may leave 64 bits, after a while.
            18 if self.rng.chance(20) => format!(
                "if i0 % 3 == {} and i0 > 20:\nPAD    \
                 e = a * 37 % 32768 * 281474976710655 + a * 91 % 32768 * 281474976710655",
                self.rng.below(3),
            ),
            // A local that may hold an integer beyond a word when a trace is entered or left.
            19 => format!(
                "if i0 % {} == {}:\nPAD    {}",
                self.rng.pick(&[5, 7, 20]),
                self.rng.below(5),
                self.rng.pick(&[
                    "e = (b % 65536 + 1048576) * (a + 4294967296)",
                    "e = e - a * 65536",
                    "d = e * 0.5",
                    "d = c * 1e200 * 1e200 * 0.0",
                    "d = c * -0.0 + 0.0",
                    "p.h = e",
                    "print(e)",
                ])
            ),
            0..=2 => format!("a = (a + {}) % 1000003", self.rng.below(1000)),
            3 => format!(
                "b = (b + a) % {}",
                self.rng.pick(&["97", "562949953421311", "4294967296"])
            ),
            4 => format!("c = c * 0.5 + {e} * 0.25"),
            5 if self.rng.chance(40) => "d = a".into(),
            5 => format!("d = {e} * 0.5"),
            6 if self.rng.chance(40) => "o.f = b".into(),
            6 => format!("o.f = {e} * 0.5"),
            7 => "o = Object()\nPADo.next = None\nPADo.g = b\nPADo.f = a".into(),
            8 => "q = o\nPADo = p\nPADp = q".into(),
            9 | 20 | 21 => self
                .rng
                .pick(&[
                    "p = make(a, b)",
                    "p = other(a, b)",
                    "p.next = q",
                    "p.next = make(b, a)",
                    "o.next = p",
                    "q = p.next",
                    "q = o.next",
                    "if q is None:\nPAD    q = p\nPADd = q.g",
                    // Two names of what may be one object.
                    "if q is None:\nPAD    q = o\nPADo.f = b\nPADq.f = a\nPADd = o.f",
                    "o = make(b, a)\nPADq = o",
                    "o = p",
                    "q = make(b, a)\nPADp.next = q\nPADif o.next is None:\nPAD    o.next = p\n\
                     PADn = o.next\nPADn.f = 7\nPADd = q.f",
                ])
                .into(),
            10 => format!("p.{} = b", self.rng.pick(&["f", "g", "h", "extra"])),
            11 => format!("q = {}", self.rng.pick(&["None", "o", "make(b, a)"])),
            12 | 15..=18 if indent < 4 => {
                out.push_str(&format!("{pad}if {}:\n", self.condition()));
                self.suite(indent + 1, out);
                out.push_str(&format!("{pad}else:\n"));
                self.suite(indent + 1, out);
                return;
            }
            13 if indent < 3 => {
                let n = 3 + self.rng.below(8);
                self.while_loop(indent, n, out);
                return;
            }
            14 if self.rng.chance(75) => "c = c + 1".into(),
            _ => format!("if i0 % 9 == {}:\nPAD    print({rare})", self.rng.below(9)),
        };
        out.push_str(&format!("{pad}{}\n", line.replace("PAD", &pad)));
    }

    fn suite(&mut self, indent: usize, out: &mut String) {
        for _ in 0..1 + self.rng.below(3) {
            self.statement(indent, out);
        }
    }

    fn while_loop(&mut self, indent: usize, n: usize, out: &mut String) {
        let pad = "    ".repeat(indent);
        let i = format!("i{}", indent - 1);
        out.push_str(&format!(
            "{pad}{i} = 0\n{pad}while {i} < {n}:\n{pad}    {i} = {i} + 1\n"
        ));
        let outer = std::mem::replace(&mut self.loops, indent - 1);
        self.suite(indent + 1, out);
        self.loops = outer;
    }

    fn program(&mut self) -> String {
        let mut out = String::from(
            "def make(f, g):\n    n = Object()\n    n.f = f\n    n.g = g\n    n.next = None\n    return n\n\
             def other(f, g):\n    n = Object()\n    n.g = g\n    n.next = None\n    n.f = f\n    return n\n\
             def h0(x, y):\n    if x < y:\n        return x\n    return y + 1\n\
             def h1(x, y):\n    return h0(y, x) - h0(x, y)\n\
             def r(n):\n    if n < 1:\n        return 0\n    return n + r(n - 1)\n\
             def s(n):\n    t = 0\n    while n > 0:\n        t = t + n\n        n = n - 1\n    return t\n\
             def h2(x, y):\n    m = make(x, y)\n    m.g = m.f * 0.5\n    return m.g + m.f\n\
             def main():\n    a = 1\n    b = 2\n    c = 0.5\n    d = 3.5\n    e = 4\n    i0 = 0\n    i1 = 0\n    i2 = 0\n    \
             o = make(1, 2)\n    p = make(3, 4.5)\n    q = None\n    n = None\n",
        );
        for _ in 0..1 + self.rng.below(2) {
            // So many that recording is tried again after two failures.
            let n = 50 + self.rng.below(50);
            self.while_loop(1, n, &mut out);
        }
        out + "    print(a)\n    print(b)\n    print(c)\n    print(d)\n    print(e)\n    print(o.f)\n    print(p.g)\n"
    }
}

fn small_heap() -> Config {
    Config {
        reserve_bytes: 64 << 20,
        low_bytes: 1 << 20,
        ..Config::default()
    }
}

fn settings(rng: &mut Rng) -> (Config, Params) {
    let passes = match rng.below(5) {
        0 => PassSet::NONE,
        1 | 2 => PassSet::all(),
        3 => PassSet::all().without(rng.pick(Pass::ALL)),
        _ => PassSet::from_bits(rng.bits() as u32),
    };
    let params = Params {
        loop_threshold: rng.pick(&[1, 2, 7]),
        exit_threshold: rng.pick(&[1, 1, 2]),
        passes,
        ..Params::default()
    };
    let gc = match rng.below(4) {
        0 => Config {
            young_bytes: 32 << 10,
            evacuate: Evacuate::Always,
            stress: Stress {
                every: 3,
                full_every: 5,
                tiny_windows: true,
                poison: true,
                verify: true,
                exits: true,
            },
            ..small_heap()
        },
        _ => small_heap(),
    };
    (gc, params)
}

/// The program of a seed, and the settings in which it is compiled.
pub(crate) fn program(seed: u64) -> (String, Config, Params) {
    let mut rng = Rng::new(seed);
    let (gc, params) = settings(&mut rng);
    let large = [Pass::Fold, Pass::Heap]
        .iter()
        .all(|&p| params.passes.has(p));
    let text = Gen {
        rng,
        loops: 0,
        large,
    }
    .program();
    (text, gc, params)
}

/// What programs reached, in numbers of programs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub programs: u64,
    pub compiled: u64,
    pub bridged: u64,
    pub allocated: u64,
    pub failed: u64,
    /// Recordings given up, by reason.
    pub aborts: BTreeMap<String, u64>,
    /// Seeds of programs that compiled no trace.
    pub uncompiled: Vec<u64>,
}

impl Tally {
    /// Runs the program of a seed both ways.
    ///
    /// # Errors
    /// How the two differ.
    pub(crate) fn add(&mut self, seed: u64) -> Result<(), String> {
        let (text, gc, params) = program(seed);
        let expected = run(&text, small_heap(), None)?.0;
        let (got, counts) = run(&text, gc, Some(params))?;
        let passes = params.passes;
        if got != expected {
            return Err(format!(
                "seed {seed}, {params:?}, passes {passes}, {gc:?}\n{text}\n\
                 interpreted: {expected:?}\ncompiled: {got:?}"
            ));
        }
        self.programs += 1;
        for (why, n) in counts.aborts {
            *self.aborts.entry(why.name().to_owned()).or_default() += n;
        }
        if counts.traces == 0 {
            self.uncompiled.push(seed);
        }
        self.compiled += u64::from(counts.traces > 0);
        self.bridged += u64::from(counts.bridges > 0);
        self.allocated += u64::from(counts.allocations > 0);
        self.failed += u64::from(expected.error.is_some());
        Ok(())
    }

    /// True if the programs reached enough to say something: each a trace, 30 % a bridge, 20 % an
    /// allocation in a trace.
    pub(crate) fn is_enough(&self) -> bool {
        self.compiled == self.programs
            && self.bridged * 10 >= self.programs * 3
            && self.allocated * 10 >= self.programs * 2
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} programs: {} compiled a trace, {} reached a bridge, {} allocated in a trace, \
             {} ended by an error; recordings given up:",
            self.programs, self.compiled, self.bridged, self.allocated, self.failed
        )?;
        for (why, n) in &self.aborts {
            write!(f, " {why} {n}")?;
        }
        if !self.uncompiled.is_empty() {
            write!(f, "; without a trace: seeds {:?}", self.uncompiled)?;
        }
        Ok(())
    }
}
