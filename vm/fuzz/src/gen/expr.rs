//! Expressions, by the kind of value they mostly have.

use super::Gen;

/// Small ints, and those at the borders of 31, 32, 49, 50, 62, 63, 64 bits.
const INTS: [&str; 34] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "8",
    "10",
    "13",
    "100",
    "255",
    "1000",
    "-1",
    "-2",
    "-3",
    "-7",
    "-100",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "562949953421311",
    "562949953421312",
    "-562949953421312",
    "-562949953421313",
    "1125899906842623",
    "4611686018427387904",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "100000000000000000000",
];
const FLOATS: [&str; 14] = [
    "0.0",
    "-0.0",
    "1.0",
    "0.5",
    "-1.5",
    "0.1",
    "3.0",
    "1e16",
    "1e308",
    "-1e300",
    "5e-324",
    "float('nan')",
    "float('inf')",
    "-float('inf')",
];
const MODULI: [&str; 10] = [
    "7",
    "10",
    "97",
    "256",
    "1000003",
    "2147483648",
    "562949953421312",
    "1125899906842597",
    "9223372036854775783",
    "36893488147419103232",
];

impl Gen {
    pub(super) fn int_literal(&mut self) -> String {
        let n = if self.rng.chance(75) { 18 } else { INTS.len() };
        INTS[self.rng.below(n)].into()
    }

    pub(super) fn float_literal(&mut self) -> String {
        let n = if self.rng.chance(75) { 7 } else { FLOATS.len() };
        FLOATS[self.rng.below(n)].into()
    }

    fn int_name(&mut self) -> String {
        let mut names = self.env.ints.clone();
        names.extend(self.env.counters.iter().cloned());
        if self.in_main && self.rng.chance(12) {
            names = vec!["g0".into(), "g1".into()];
        }
        match self.pick(&names) {
            Some(n) => n,
            None => self.int_literal(),
        }
    }

    /// An int; `d` is the depth still allowed.
    pub(super) fn int(&mut self, d: u32) -> String {
        if d == 0 || self.rng.chance(20) {
            return if self.rng.chance(70) {
                self.int_name()
            } else {
                self.int_literal()
            };
        }
        let d = d - 1;
        match self.rng.below(46) {
            0..=6 => {
                let (a, b) = (self.int(d), self.int(d));
                let op = self.rng.pick(&["+", "-", "+", "-", "&", "|", "^"]);
                format!("({a} {op} {b})")
            }
            7..=9 => {
                let (a, b) = (self.int(d), self.int(d));
                let m = self.rng.pick(&MODULI);
                format!("({a} * {b} % {m})")
            }
            10 if self.loops <= 1 => {
                let (a, b) = (self.int_name(), self.int_name());
                format!("({a} * {b})")
            }
            11 => {
                let a = self.int(d);
                format!(
                    "({a} * {})",
                    self.rng.pick(&["2", "3", "-1", "10", "65536"])
                )
            }
            12 | 13 => {
                let (a, b) = (self.int(d), self.int(d));
                let op = self.rng.pick(&["//", "%"]);
                format!("({a} {op} ({b} | 1))")
            }
            14 => {
                let a = self.int(d);
                let op = self.rng.pick(&["//", "%"]);
                let b = self.rng.pick(&["2", "3", "-3", "8", "-7", "16", "1", "-1"]);
                format!("({a} {op} {b})")
            }
            15 => {
                let a = self.int(d);
                format!("{}{a}", self.rng.pick(&["-", "~", "+"]))
            }
            16 => {
                let (a, b) = (self.int(d), self.int(0));
                let op = self.rng.pick(&["<<", ">>"]);
                let mask = self.rng.pick(&["7", "15", "31"]);
                format!("({a} {op} ({b} & {mask}))")
            }
            17 => {
                let a = self.int(d);
                let op = self.rng.pick(&["<<", ">>"]);
                format!(
                    "({a} {op} {})",
                    self.rng.pick(&["1", "3", "12", "33", "62"])
                )
            }
            18 => {
                let a = self.int(d);
                format!("{}({a})", self.rng.pick(&["abs", "int", "abs"]))
            }
            19 => {
                let (a, b) = (self.int(d), self.int(d));
                format!("{}({a}, {b})", self.rng.pick(&["min", "max"]))
            }
            20 => {
                let (a, c, b) = (self.int(d), self.truth(d), self.int(d));
                format!("({a} if {c} else {b})")
            }
            21 => {
                let c = self.truth(d);
                format!("({c})+0")
            }
            22..=24 => match self.pick(&self.env.lists.clone()) {
                Some(l) => {
                    let i = self.int(d);
                    match self.rng.below(6) {
                        0 => format!("len({l})"),
                        1 => format!("sum({l}) % 1000003"),
                        2 => format!("{l}[-1]"),
                        _ => format!("{l}[{i} % len({l})]"),
                    }
                }
                None => self.int(d),
            },
            25 => match self.pick(&self.env.strs.clone()) {
                Some(s) => {
                    if self.rng.chance(50) {
                        format!("len({s})")
                    } else {
                        let i = self.int(d);
                        format!("ord(({s} + 'q')[{i} % (len({s}) + 1)])")
                    }
                }
                None => self.int(d),
            },
            26 | 27 => match self.pick(&self.env.dicts.clone()) {
                Some(n) => {
                    let k = self.key();
                    match self.rng.below(4) {
                        0 => format!("({n}[{k}] if {k} in {n} else 3)"),
                        1 => format!("len({n})"),
                        _ => format!("{n}.get({k}, 1)"),
                    }
                }
                None => self.int(d),
            },
            28..=33 => self.object_int(d),
            34..=37 => self.call(d),
            38 => {
                let x = self.float(d);
                let n = self.name("w");
                format!("(int({n}) if -1e18 < ({n} := {x}) < 1e18 else 0)")
            }
            39 => match self.pick(&self.env.closures.clone()) {
                Some(c) => {
                    let a = self.int(d);
                    format!("{c}({a})")
                }
                None => self.int(d),
            },
            40 => match self.pick(&self.env.generators.clone()) {
                Some(y) => format!("next({y}, 2)"),
                None => self.int(d),
            },
            41 => {
                let (a, b) = (self.int(d), self.int(0));
                format!("divmod({a}, {b} | 1)[{}]", self.rng.below(2))
            }
            42 => match self.pick(&self.env.tuples.clone()) {
                Some(t) => format!("({t}[0] if type({t}[0]) is int else 4)"),
                None => self.int(d),
            },
            43 if self.in_main => {
                let names = self.env.ints.clone();
                match self.pick(&names) {
                    Some(n) => match self.rng.below(3) {
                        0 => format!("peek('{n}')"),
                        1 => format!("locals()['{n}']"),
                        _ => "here()".into(),
                    },
                    None => "here()".into(),
                }
            }
            44 if self.loops <= 1 => {
                let a = self.int(0);
                format!("recurse({a} % 5, {})", self.rng.below(9))
            }
            45 => {
                let (a, e) = (self.int(0), self.rng.below(4));
                format!("({a} & 1023) ** {e}")
            }
            _ => {
                let n = self.name("w");
                let a = self.int(d);
                format!("({n} := {a})")
            }
        }
    }

    /// An int that objects are asked for.
    fn object_int(&mut self, d: u32) -> String {
        let Some(o) = self.pick(&self.env.objects.clone()) else {
            return self.int(d);
        };
        let a = self.int(d);
        match self.rng.below(14) {
            0..=3 => format!("{o}.{}", self.rng.pick(&["a", "b"])),
            4 | 5 => format!("{o}.m0({a})"),
            6 => format!("{o}.m1({a})"),
            7 => format!("{o}.m1({a}, x={})", self.rng.below(5)),
            8 => format!("{o}.p"),
            9 => format!("{o}[{a}]"),
            10 => format!("len({o})"),
            11 => format!("{o}({a})"),
            12 => format!("{o}.sm({a})"),
            _ => format!("{o}.cm({a})"),
        }
    }

    /// The key of a dict: few different ones.
    pub(super) fn key(&mut self) -> String {
        match self.rng.below(6) {
            0 => "'k'".into(),
            1 => "'n'".into(),
            2 => "(1, 2)".into(),
            3 => match self.pick(&self.env.strs.clone()) {
                Some(s) => format!("{s}[:1]"),
                None => "'q'".into(),
            },
            _ => {
                let a = self.int(0);
                format!("{a} % 5")
            }
        }
    }

    /// A call of a function of ints, in one of the ways it may be called.
    pub(super) fn call(&mut self, d: u32) -> String {
        let usable: Vec<_> = self
            .functions
            .iter()
            .filter(|f| !f.heavy || self.heavy > 0 && self.loops <= 1)
            .cloned()
            .collect();
        if usable.is_empty() {
            return self.int(d);
        }
        let f = usable[self.rng.below(usable.len())].clone();
        if f.heavy {
            self.heavy -= 1;
        }
        let (a, b, c) = (self.int(d), self.int(d.min(1)), self.int(0));
        let n = &f.name;
        match self.rng.below(9) {
            0 => format!("{n}({a})"),
            1 => format!("{n}(a={a})"),
            2 => format!("{n}({a}, b={b})"),
            3 => format!("{n}(b={b}, a={a})"),
            4 => format!("{n}(*[{a}, {b}])"),
            5 if f.keyword => format!("{n}({a}, k={b})"),
            6 if f.rest => format!("{n}({a}, {b}, {c}, 4)"),
            7 if f.keywords => format!("{n}({a}, q={b}, **{{'r': {c}}})"),
            8 => format!("{n}(**{{'a': {a}, 'b': {b}}})"),
            _ => format!("{n}({a}, {b})"),
        }
    }

    /// A float.
    pub(super) fn float(&mut self, d: u32) -> String {
        let names = self.env.floats.clone();
        if d == 0 || self.rng.chance(25) {
            if self.rng.chance(70)
                && let Some(n) = self.pick(&names)
            {
                return n;
            }
            return self.float_literal();
        }
        let d = d - 1;
        match self.rng.below(14) {
            0..=4 => {
                let (a, b) = (self.float(d), self.float(d));
                format!("({a} {} {b})", self.rng.pick(&["+", "-", "*"]))
            }
            5 => {
                let a = self.float(d);
                format!(
                    "({a} / {})",
                    self.rng.pick(&["2.0", "3.0", "0.1", "-4", "1e-300"])
                )
            }
            6 => {
                let (a, b) = (self.float(d), self.int(0));
                format!("({a} {} ({b} & 65535))", self.rng.pick(&["+", "-", "*"]))
            }
            7 => {
                let a = self.int(d);
                format!("float({a} & 65535)")
            }
            8 => {
                let (a, b) = (self.int(d), self.int(0));
                format!("(({a} & 4294967295) / ({b} & 255 | 1))")
            }
            9 => {
                let a = self.float(d);
                format!("-{a}")
            }
            10 => {
                let a = self.float(d);
                format!("abs({a})")
            }
            11 => {
                let (a, c, b) = (self.float(d), self.truth(d), self.float(d));
                format!("({a} if {c} else {b})")
            }
            12 => {
                let a = self.float(d);
                format!("({a} {} 1.5)", self.rng.pick(&["//", "%"]))
            }
            _ => {
                let (a, b) = (self.float(d), self.float(d));
                format!("generic_add({a}, {b})")
            }
        }
    }

    /// A truth.
    pub(super) fn truth(&mut self, d: u32) -> String {
        if d == 0 {
            let a = self.int_name();
            let m = 2 + self.rng.below(6);
            return format!("{a} % {m} == {}", self.rng.below(m));
        }
        let d = d - 1;
        let cmp = self.rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
        match self.rng.below(22) {
            0..=5 => {
                let (a, b) = (self.int(d), self.int(d));
                format!("{a} {cmp} {b}")
            }
            6..=8 => self.truth(0),
            9 | 10 => {
                let (a, b) = (self.float(d), self.float(d));
                format!("{a} {cmp} {b}")
            }
            11 => {
                let (a, b) = (self.int(d), self.float(d));
                format!("{a} {cmp} {b}")
            }
            12 => {
                let (a, b, c) = (self.int(0), self.int(d), self.int(0));
                format!("{a} {cmp} {b} < {c}")
            }
            13 => {
                let (a, b) = (self.truth(d), self.truth(d));
                format!("({a} {} {b})", self.rng.pick(&["and", "or"]))
            }
            14 => {
                let a = self.truth(d);
                format!("(not {a})")
            }
            15 => match self.pick(&self.env.lists.clone()) {
                Some(l) => {
                    let a = self.int(0);
                    format!("{a} {} {l}", self.rng.pick(&["in", "not in"]))
                }
                None => self.truth(d),
            },
            16 => match self.pick(&self.env.anys.clone()) {
                Some(z) => {
                    let t = self
                        .rng
                        .pick(&["int", "float", "str", "(int, str)", "bool"]);
                    format!("isinstance({z}, {t})")
                }
                None => self.truth(d),
            },
            17 => match self.pick(&self.env.anys.clone()) {
                Some(z) => format!("{z} is {}", self.rng.pick(&["None", "not None", "True"])),
                None => self.truth(d),
            },
            18 | 19 => match self.pick(&self.env.objects.clone()) {
                Some(o) => {
                    let a = self.int(0);
                    match self.rng.below(5) {
                        0 => format!("{o} < {o}"),
                        1 => format!("{o} == {a}"),
                        2 => format!("bool({o})"),
                        3 => format!("isinstance({o}, K{})", self.rng.below(self.classes.max(1))),
                        _ => format!("{o}.a {cmp} {a}"),
                    }
                }
                None => self.truth(d),
            },
            20 => match self.pick(&self.env.strs.clone()) {
                Some(s) => {
                    let b = self.string(d);
                    format!("{s} {cmp} {b}")
                }
                None => self.truth(d),
            },
            _ => {
                let a = self.int(d);
                format!("({a} & {})", self.rng.pick(&["1", "2", "8", "96"]))
            }
        }
    }

    /// A string, short.
    pub(super) fn string(&mut self, d: u32) -> String {
        let names = self.env.strs.clone();
        if d == 0 || self.rng.chance(25) {
            if self.rng.chance(60)
                && let Some(n) = self.pick(&names)
            {
                return n;
            }
            return self
                .rng
                .pick(&["''", "'a'", "'xyz'", "'é'", "'λx'", "'0'"])
                .into();
        }
        let d = d - 1;
        match self.rng.below(10) {
            0 | 1 => {
                let (a, b) = (self.string(d), self.string(d));
                format!("({a} + {b})[:12]")
            }
            2 => {
                let a = self.int(d);
                format!("str({a})[-9:]")
            }
            3 => {
                let (a, b) = (self.int(d), self.float(0));
                format!("f'{{{}}}:{{{}!r:.9}}'[:12]", unquoted(&a), unquoted(&b))
            }
            4 => {
                let a = self.string(d);
                format!(
                    "{a}[{}]",
                    self.rng.pick(&["1:", ":-1", "::2", "::-1", "-3:", "2:5"])
                )
            }
            5 => {
                let a = self.string(d);
                let m = self
                    .rng
                    .pick(&["upper", "lower", "strip", "title", "swapcase"]);
                format!("{a}.{m}()")
            }
            6 => {
                let (a, n) = (self.string(d), self.int(0));
                format!("({a} * ({n} & 3))[:12]")
            }
            7 => {
                let n = self.int(d);
                format!("'%d|%s' % ({n} % 1000, 'z')")
            }
            8 => {
                let v = self.any(d);
                format!("kind({v})")
            }
            _ => {
                let (a, b) = (self.string(d), self.string(0));
                format!("'-'.join([{a}, {b}])[:12]")
            }
        }
    }

    /// Any value.
    pub(super) fn any(&mut self, d: u32) -> String {
        match self.rng.below(12) {
            0..=2 => self.int(d),
            3 | 4 => self.float(d),
            5 => self.string(d),
            6 => {
                let c = self.truth(d);
                format!("({c})")
            }
            7 => "None".into(),
            8 => {
                let (a, b) = (self.int(d), self.float(0));
                format!("({a}, {b})")
            }
            9 => {
                let a = self.int(d);
                format!("[{a}]")
            }
            10 => match self.pick(&self.env.anys.clone()) {
                Some(z) => z,
                None => self.int(d),
            },
            _ => self.rng.pick(&["True", "False"]).into(),
        }
    }

    /// A list, short.
    pub(super) fn list(&mut self, d: u32) -> String {
        let v = self.name("v");
        let n = 2 + self.rng.below(4);
        let old = self.env.counters.clone();
        self.env.counters.push(v.clone());
        self.loops += 1;
        let (a, c) = (self.int(d.min(1)), self.truth(0));
        self.loops -= 1;
        self.env.counters = old;
        match self.rng.below(8) {
            0 | 1 => format!("[{a} for {v} in range({n})]"),
            2 => format!("[{v} for {v} in range({n}) if {c}]"),
            3 => format!("list(range({n}))"),
            4 => match self.pick(&self.env.lists.clone()) {
                Some(l) => format!(
                    "({l} + [1])[{}]",
                    self.rng.pick(&["1:", ":3", "::-1", "-4:"])
                ),
                None => format!("[{v} for {v} in range({n})]"),
            },
            5 => {
                let (a, b) = (self.int(d), self.int(0));
                format!("[{a}, {b}]")
            }
            6 if self.generators > 0 => {
                format!("list(G{}({n}))", self.rng.below(self.generators))
            }
            _ => {
                let (a, b, c) = (self.int(0), self.int(d), self.int(0));
                format!("sorted([{a}, {b}, {c}])")
            }
        }
    }
}

/// The expression with names only where a format field allows no quotes or walrus.
fn unquoted(e: &str) -> String {
    if e.contains(['\'', '{', ':', '!']) {
        "7".into()
    } else {
        e.into()
    }
}
