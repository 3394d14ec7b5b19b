//! Statements about one thing that a trace takes for granted, and its change.
//!
//! What random statements change is rarely what they use. Here a thing is chosen (a
//! method, a global function, a place in a namespace, the class of what a variable
//! holds), used, changed in one turn of the loop, in the open or behind a call that
//! the trace does not look into, and used again. What the uses yield goes into a
//! variable that nothing else writes, so that no difference is lost.

use super::Gen;
use crate::tree::{Block, Stmt, block, line};

/// What is used, and how it changes.
struct Focus {
    /// Expressions of ints, to be evaluated in every turn.
    uses: Vec<String>,
    /// Lines; one alternative is taken.
    change: String,
    /// The change rebinds a local variable, so it cannot be in another function.
    local: bool,
    /// It goes on in every turn.
    always: bool,
}

impl Gen {
    /// Uses of a thing around its change.
    pub(super) fn focus(&mut self) -> Stmt {
        let n = self.focuses;
        self.focuses += 1;
        let counter = match self.env.counters.last() {
            Some(c) => c.clone(),
            None => "g0".into(),
        };
        let f = self.thing(n, &counter);
        // A change in the first turns falls into a recording.
        let at = if self.rng.chance(40) {
            self.rng.below(5)
        } else {
            self.rng.below(30)
        };
        let test = match self.rng.below(3) {
            0 => format!("n % {} == {}", 3 + self.rng.below(9), at % 3),
            _ => format!("n == {at}"),
        };
        let change = if f.always {
            line(f.change)
        } else if f.local || self.rng.chance(25) {
            let test = test.replace('n', &counter);
            block(format!("if {test}"), vec![line(f.change)])
        } else {
            let name = format!("change{n}");
            self.extra.push(Stmt::Block(Block {
                head: format!("def {name}(n)"),
                fixed: Vec::new(),
                body: vec![block(format!("if {test}"), vec![line(f.change)])],
                tails: Vec::new(),
            }));
            line(match self.rng.below(5) {
                0 => format!("{name}({counter})"),
                1 => format!("{name}(*[{counter}])"),
                2 => format!("sorted([{counter}], key={name})"),
                3 => format!("list(map({name}, [{counter}]))"),
                _ => format!("{name}(**{{'n': {counter}}})"),
            })
        };
        let mut body = Vec::new();
        let put = |g: &mut Gen, body: &mut Vec<Stmt>| {
            let u = g.rng.below(f.uses.len());
            body.push(line(format!(
                "acc = (acc * 31 + {}) % 1000003",
                f.uses[u].replace('$', &counter)
            )));
        };
        if self.rng.chance(80) {
            put(self, &mut body);
        }
        if self.rng.chance(20) {
            let s = self.statement();
            body.push(s);
        }
        body.push(change);
        if body.len() == 1 || self.rng.chance(75) {
            put(self, &mut body);
        }
        block("if True", body)
    }

    /// The thing of focus `n`, in a loop over `counter`. A `$` in a use is that.
    fn thing(&mut self, n: usize, counter: &str) -> Focus {
        let k = self.rng.below(self.classes.max(1));
        let o = format!("fo{n}");
        let v = self.rng.below(90);
        match self.rng.below(if self.classes > 0 { 26 } else { 7 }) {
            24 | 25 => self.own_attribute(n, k),
            6 | 16 => self.floats(n, counter),
            17 | 18 => self.aliases(n, k, counter),
            0 => self.global_function(n),
            1 => {
                let (name, other) = self.rng.pick(&[("len", "mylen"), ("abs", "myabs")]);
                let used = if name == "len" {
                    "len('ab')"
                } else {
                    "abs($ - 9)"
                };
                Focus {
                    uses: vec![used.into()],
                    change: format!(
                        "if '{name}' in globals(): del globals()['{name}']\nelse: globals()['{name}'] = {other}"
                    ),
                    local: false,
                    always: false,
                }
            }
            2 | 20 => self.moved_names(n),
            3 => self.module_attribute(n),
            4 | 21 => {
                // The callee depends on data, not on the path.
                let (a, b) = self.rng.pick(&[
                    ("keep", "count"),
                    ("count", "keep"),
                    ("min", "max"),
                    ("max", "min"),
                ]);
                self.setup.push(line(format!("h{n} = {a}")));
                let other = format!("lambda n, at: n + at + {v}");
                let to = self.rng.pick(&[
                    format!("({a}, {b})[{counter} % 5 == 2]"),
                    format!("({a}, {b})[{counter} // 7 % 2]"),
                    format!("({a}, {b}, {other})[{counter} % 3]"),
                    other,
                ]);
                Focus {
                    uses: vec![
                        format!("h{n}($, 3)"),
                        format!("h{n}($, {})", self.rng.below(40)),
                        format!("({a}, {b})[$ % 3 == 1]($, 5)"),
                    ],
                    change: format!("h{n} = {to}"),
                    local: true,
                    always: self.rng.chance(50),
                }
            }
            5 => self.large_sums(n),
            7 | 15 => {
                self.object(n, k);
                let change = match self.rng.below(6) {
                    0 => format!("K{k}.m0 = alternative"),
                    1 => format!("K{k}.m0 = lambda self, x: x + {v}"),
                    2 => format!("K{k}.m0 = K{k}.m0"),
                    3 => format!("{o}.m0 = lambda x: x ^ {v}"),
                    4 => format!("try: del K{k}.m0\nexcept AttributeError: K{k}.m0 = alternative"),
                    _ => format!("K0.m0 = lambda self, x: x + {v}"),
                };
                Focus {
                    uses: vec![
                        format!("{o}.m0($)"),
                        format!("{o}.m1($)"),
                        format!("K{k}.m0({o}, $)"),
                    ],
                    change,
                    local: false,
                    always: false,
                }
            }
            8 | 9 => {
                self.object(n, k);
                let change = match self.rng.below(6) {
                    0 => format!("K{k}.count = {v}"),
                    1 => format!("K{k}.count += 1"),
                    2 => format!("{o}.count = {v}"),
                    3 => format!("{o}.extra = {v}"),
                    4 => format!("{o}.__dict__.pop('a', 0)\n{o}.b = {v}\n{o}.a = 2"),
                    _ => format!("K0.count = {v}"),
                };
                Focus {
                    uses: vec![
                        format!("{o}.count"),
                        format!("K{k}.count"),
                        format!("{o}.a * 3 + {o}.b"),
                        format!("getattr({o}, 'extra', 1)"),
                    ],
                    change,
                    local: false,
                    always: false,
                }
            }
            10 => {
                self.object(n, k);
                let change = self.rng.pick(&[
                    format!("K{k}.p = {v}"),
                    format!("K{k}.p = property(lambda self: {v})"),
                    format!("K{k}.sm = staticmethod(lambda x: x + {v})"),
                    format!("K{k}.cm = classmethod(lambda cls, x: cls.count + {v})"),
                ]);
                Focus {
                    uses: vec![format!("{o}.p"), format!("{o}.sm($)"), format!("{o}.cm($)")],
                    change,
                    local: false,
                    always: false,
                }
            }
            11 => {
                self.object(n, k);
                let (used, change) = self.rng.pick(&[
                    (
                        format!("({o} + $).a"),
                        format!("K{k}.__add__ = lambda self, o: self"),
                    ),
                    (
                        format!("{o}[$]"),
                        format!("K{k}.__getitem__ = lambda self, i: {v}"),
                    ),
                    (
                        format!("{o}($)"),
                        format!("K{k}.__call__ = lambda self, i: {v}"),
                    ),
                    (
                        format!("len({o})"),
                        format!("K{k}.__len__ = lambda self: {v}"),
                    ),
                    (
                        format!("({o} == $)"),
                        format!("K{k}.__eq__ = lambda self, o: True"),
                    ),
                    (
                        format!("({o} < {o})"),
                        format!("K{k}.__lt__ = lambda self, o: True"),
                    ),
                    (
                        format!("(3 if {o} else 4)"),
                        format!("K{k}.__bool__ = lambda self: False"),
                    ),
                ]);
                Focus {
                    uses: vec![used],
                    change,
                    local: false,
                    always: false,
                }
            }
            12 | 13 => {
                // The shape depends on data, not on the path.
                let j = self.rng.below(self.classes);
                self.object(n, k);
                self.setup.push(line(format!("fp{n} = K{j}(8, {v})")));
                let change = match self.rng.below(4) {
                    0 => format!("{o}, fp{n} = fp{n}, {o}"),
                    1 => format!("{o} = K{j}({counter}, {v})"),
                    2 => format!("{o} = (K{k}, K{j})[{counter} % 2](4, {v})"),
                    _ => format!("{o} = fp{n}"),
                };
                Focus {
                    uses: vec![
                        format!("{o}.a"),
                        format!("{o}.b * 5 + {o}.a"),
                        format!("{o}.m0($)"),
                        format!("{o}.count + {o}.p"),
                        format!("isinstance({o}, K{j})"),
                    ],
                    change,
                    local: true,
                    always: self.rng.chance(50),
                }
            }
            14 | 22 | 23 => {
                // A class in a variable; another class at times.
                let j = (k + 1) % self.classes;
                self.setup.push(line(format!("fc{n} = K{k}")));
                Focus {
                    uses: vec![
                        format!("fc{n}($, 2).b"),
                        format!("fc{n}.count"),
                        format!("fc{n}.sm($)"),
                        format!("fc{n}.cm($)"),
                        format!("isinstance(o0, fc{n})"),
                    ],
                    change: format!("fc{n} = (K{k}, K{j})[{counter} % 2]"),
                    local: true,
                    always: self.rng.chance(50),
                }
            }
            _ => {
                self.object(n, k);
                let j = self.rng.below(self.classes);
                Focus {
                    uses: vec![
                        format!("{o}.m0($)"),
                        format!("{o}.count"),
                        format!("isinstance({o}, K{k})"),
                    ],
                    change: format!("try: {o}.__class__ = K{j}\nexcept TypeError: pass"),
                    local: false,
                    always: false,
                }
            }
        }
    }

    /// An attribute of the class that the object gets one of its own for, and loses again.
    fn own_attribute(&mut self, n: usize, k: usize) -> Focus {
        let (o, v) = (format!("fo{n}"), self.rng.below(90));
        self.extra.push(line(format!("{o} = K{k}(3, {v})")));
        self.setup.push(line(format!("{o} = globals()['{o}']")));
        let (used, name, value) = self.rng.pick(&[
            ("count", "count", "7"),
            ("count * 5 + $", "count", "-2"),
            ("m0($)", "m0", "lambda x: x ^ 77"),
            ("sm($)", "sm", "lambda x: x - 1"),
        ]);
        let change = match self.rng.below(3) {
            0 | 1 => format!("{o}.{name} = {value}"),
            _ => format!("if '{name}' in {o}.__dict__: del {o}.{name}\nelse: {o}.{name} = {value}"),
        };
        Focus {
            uses: vec![format!("{o}.{used}")],
            // Instances of classes with `__slots__` have none.
            change: format!(
                "try:\n    {}\nexcept AttributeError: pass",
                change.replace('\n', "\n    ")
            ),
            local: false,
            always: false,
        }
    }

    /// A global object of class `k`.
    fn object(&mut self, n: usize, k: usize) {
        let (a, b) = (self.int_literal(), self.rng.below(50));
        self.extra.push(line(format!("fo{n} = K{k}({a}, {b})")));
        if self.rng.chance(60) {
            // Also a local variable, which changes of the object reach.
            self.setup.push(line(format!("fo{n} = globals()['fo{n}']")));
        } else {
            self.setup.push(line(format!("fo{n} = K{k}({b}, {a})")));
        }
    }

    fn global_function(&mut self, n: usize) -> Focus {
        let v = self.rng.below(90);
        let name = format!("gf{n}");
        self.extra.push(block(
            format!("def {name}(x, y={v})"),
            vec![line("return x + y")],
        ));
        self.extra.push(block(
            format!("def other{n}(x, y=1)"),
            vec![line(format!("return x * 3 + y + {v}"))],
        ));
        let change = match self.rng.below(4) {
            0 => format!("globals()['{name}'] = other{n}"),
            1 => format!("{name}.__code__ = other{n}.__code__"),
            2 => format!("{name}.__defaults__ = ({v} + 1,)"),
            _ => format!("globals()['{name}'] = lambda x, y=0: x + {v}"),
        };
        Focus {
            uses: vec![
                format!("{name}($)"),
                format!("{name}($, 2)"),
                format!("{name}(y=3, x=$)"),
            ],
            change,
            local: false,
            always: false,
        }
    }

    /// Names that move within their namespace.
    fn moved_names(&mut self, n: usize) -> Focus {
        let (a, b) = (self.rng.below(99), self.rng.below(99));
        // In the program's own namespace traces rest on functions as well, and each
        // new name makes them invalid. Nothing does in one that holds numbers.
        let (space, uses) = if self.rng.chance(30) {
            self.extra
                .insert(0, line(format!("spare{n} = 0\nspare = 1")));
            self.extra.push(line(format!("mva{n} = {a}\nmvb{n} = {b}")));
            (
                "globals()".to_owned(),
                vec![format!("mva{n} * 100 + mvb{n}"), format!("mvb{n}")],
            )
        } else {
            self.extra.push(line(format!(
                "ns{n} = {{'spare{n}': 0, 'spare': 1, 'mva{n}': {a}, 'mvb{n}': {b}}}\nexec('def get(x):\\n    return mva{n} * 100 + mvb{n} + x', ns{n})"
            )));
            self.setup.push(line(format!("get{n} = ns{n}['get']")));
            (format!("ns{n}"), vec![format!("get{n}($)")])
        };
        let change = match self.rng.below(4) {
            // Adding after a deletion may close the gap.
            0 | 1 => format!(
                "_d = {space}\n_d.pop('spare{n}', 0)\n_d.pop('spare', 0)\nfor _i in range(99): _d['fresh{n}' + str(_i)] = _i"
            ),
            2 => format!(
                "_d = {space}\n_v = _d.pop('mva{n}')\n_d['fresh{n}'] = 50\n_d['mva{n}'] = _v + 1"
            ),
            _ => format!(
                "_d = {space}\n_c = dict(_d)\nfor _k in ('mva{n}', 'mvb{n}'): del _d[_k]\nfor _k in ('mvb{n}', 'mva{n}'): _d[_k] = _c[_k]"
            ),
        };
        Focus {
            uses,
            change,
            local: false,
            always: false,
        }
    }

    /// An attribute of a module.
    fn module_attribute(&mut self, n: usize) -> Focus {
        let v = self.rng.below(90);
        self.extra.push(line(format!(
            "mo{n} = type(sys)('mo')\nmo{n}.spare = 0\nmo{n}.v = {v}\nmo{n}.f = keep\nmo{n}.w = 5"
        )));
        let change = match self.rng.below(5) {
            0 => format!("mo{n}.v = {v} + 1"),
            1 => format!("mo{n}.f = count"),
            2 => format!(
                "mo{n}.__dict__.pop('spare', 0)\nfor _i in range(60): setattr(mo{n}, 'x' + str(_i), _i)"
            ),
            3 => format!("del mo{n}.v\nmo{n}.z = 1\nmo{n}.v = 2"),
            _ => format!("globals()['mo{n}'] = sys\nsys.v = 4\nsys.w = 3\nsys.f = keep"),
        };
        Focus {
            uses: vec![
                format!("mo{n}.v"),
                format!("mo{n}.v * 7 + mo{n}.w"),
                format!("mo{n}.f($, 2)"),
            ],
            change,
            local: false,
            always: false,
        }
    }

    /// Sums and products that fit into 64 bits when they are recorded, and later do not.
    fn large_sums(&mut self, n: usize) -> Focus {
        let shift = self.rng.pick(&[2, 3, 4]);
        self.setup.push(line(format!("big{n} = 1048579")));
        let p = format!("big{n} * 16384");
        Focus {
            uses: vec![
                format!("({p} + {p} + {p} + {p})"),
                format!("(big{n} * -16384 - $ - {p} - {p} - {p})"),
                format!("({p} + {p} + big{n} * 8192 + {p} ^ $)"),
                format!("(-({p}) - {p} - {p} - {p})"),
            ],
            change: format!("big{n} = 1048579 if big{n} >> 48 else big{n} << {shift} | 1"),
            local: true,
            always: true,
        }
    }

    /// A float that is at times a zero with a sign or no number.
    fn floats(&mut self, n: usize, counter: &str) -> Focus {
        let x = format!("fl{n}");
        self.setup
            .push(line(format!("nan = float('nan')\n{x} = 3.0")));
        let values = self.rng.pick(&[
            "(3.0, -0.0, 1.5, 0.0)",
            "(3.0, 1.5, 4.0, nan)",
            "(-0.0, 1.0, nan, 2.0)",
        ]);
        let change = match self.rng.below(3) {
            0 => format!("{x} = {values}[{counter} % 4]"),
            1 => format!("{x} = {values}[{counter} // 4 % 4]"),
            _ => format!("{x} = {values}[{counter} % 11 == 5]"),
        };
        let neutral = self.rng.pick(&[
            format!("{x} + 0.0"),
            format!("0.0 + {x}"),
            format!("{x} - 0.0"),
            format!("{x} * 1.0"),
            format!("0.0 - {x}"),
            format!("-{x}"),
        ]);
        let opposite = self
            .rng
            .pick(&[("<", ">="), (">", "<="), ("<=", ">"), (">=", "<")]);
        Focus {
            uses: vec![
                format!("len(str({neutral}))"),
                format!(
                    "((1 if {x} {} 2.0 else 2) if not {x} {} 2.0 else 3)",
                    opposite.1, opposite.0
                ),
                format!("(4 if {x} == {x} else 5)"),
            ],
            change,
            local: true,
            always: true,
        }
    }

    /// Two names of what may be one object, or one place.
    fn aliases(&mut self, n: usize, k: usize, counter: &str) -> Focus {
        let v = self.rng.below(90);
        self.setup.push(line(format!(
            "al{n} = [K{k}(1, 2), K{k}(3, 4)]\nav{n} = [1, 2, 3]\naw{n} = 0"
        )));
        let (i, j) = (
            format!("{counter} % 2"),
            self.rng.pick(&[
                format!("{counter} // 3 % 2"),
                format!("({counter} % 13 == 7)"),
            ]),
        );
        let change = match self.rng.below(8) {
            0..=2 => format!(
                "_p = al{n}[{i}]\n_q = al{n}[{j}]\naw{n} = _q.a\n_p.a = {counter} + {v}\naw{n} = aw{n} * 7 + _q.a"
            ),
            // A new object, written through another name once it is stored.
            3 | 4 => format!(
                "_n = K{k}({counter}, 3)\nal{n}[{i}] = _n\nal{n}[{j}].a = {v}\naw{n} = _n.a"
            ),
            5 => format!(
                "_n = K{k}({counter}, 3)\nal{n}[{i}].c = _n\n_q = getattr(al{n}[{j}], 'c', None)\nif _q is not None: _q.b = {v}\naw{n} = _n.b"
            ),
            _ => format!(
                "aw{n} = av{n}[{j}]\nav{n}[{i}] = {counter} + {v}\naw{n} = aw{n} * 7 + av{n}[{j}]"
            ),
        };
        Focus {
            uses: vec![format!("aw{n}")],
            change,
            local: true,
            always: true,
        }
    }
}
