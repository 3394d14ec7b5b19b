//! Statements and loops.

use super::Gen;
use crate::tree::{Block, Stmt, block, line};

impl Gen {
    /// A loop that gets hot, with the cuts that keep its state small.
    pub(super) fn hot_loop(&mut self) -> Stmt {
        let n = 15 + self.rng.below(40);
        let v = self.name("n");
        let fixed = self.cuts();
        self.loops += 1;
        self.inside += 1;
        self.env.counters.push(v.clone());
        let count = 2 + self.rng.below(6);
        let mut body = self.statements(count);
        let things = self.rng.pick(&[0, 0, 1, 1, 1, 2]);
        for _ in 0..things * usize::from(self.in_main && self.loops == 1) {
            let f = self.focus();
            let at = self.rng.below(body.len() + 1);
            body.insert(at, f);
        }
        let head = match self.rng.below(8) {
            0 => {
                let a = self.rng.below(4);
                format!("for {v} in range({a}, {a} + {n} * 3, 3)")
            }
            1 => format!("for {v} in range({n}, 0, -1)"),
            2 if self.generators > 0 => {
                format!("for {v} in G{}({n})", self.rng.below(self.generators))
            }
            3 => format!("for {v} in [1, 2, 3, 1 << 49, 5] * {}", n / 5),
            4 | 5 => {
                body.insert(0, line(format!("{v} += 1")));
                self.loops -= 1;
                self.inside -= 1;
                self.env.counters.pop();
                // The counter is moved and tested where shrinking cannot reach.
                let mut lines = vec![format!("{v} += 1")];
                lines.extend(fixed);
                let body = body.split_off(1);
                return block_with(
                    "if True",
                    vec![format!("{v} = 0")],
                    vec![Stmt::Block(Block {
                        head: format!("while {v} < {n}"),
                        fixed: lines,
                        body,
                        tails: Vec::new(),
                    })],
                );
            }
            _ => format!("for {v} in range({n})"),
        };
        self.loops -= 1;
        self.inside -= 1;
        self.env.counters.pop();
        let tails = if self.rng.chance(10) {
            vec![("else".into(), vec![line("out('else')")])]
        } else {
            Vec::new()
        };
        Stmt::Block(Block {
            head,
            fixed,
            body,
            tails,
        })
    }

    /// Lines that cut back what grows.
    fn cuts(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for n in self.env.ints.clone() {
            let limit = self.rng.pick(&[40, 45, 48, 48, 51, 64, 66, 70]);
            all.push(format!(
                "if {n} > {} or {n} < -{}: {n} %= 1000003",
                1u128 << limit,
                1u128 << limit
            ));
        }
        for z in &self.env.anys {
            all.push(format!(
                "if isinstance({z}, (str, list, tuple)) and len({z}) > 20: {z} = 1"
            ));
        }
        for l in self.env.lists.clone() {
            all.push(format!("if len({l}) > 12 or not {l}: {l} = [1, 2, 3]"));
        }
        all
    }

    pub(super) fn statements(&mut self, n: usize) -> Vec<Stmt> {
        (0..n).map(|_| self.statement()).collect()
    }

    /// One statement, compound ones to a depth of three.
    pub(super) fn statement(&mut self) -> Stmt {
        let compound = self.depth < 3 && self.rng.chance(if self.depth == 0 { 45 } else { 30 });
        if compound {
            self.depth += 1;
            let s = self.compound();
            self.depth -= 1;
            s
        } else {
            self.simple()
        }
    }

    fn suite(&mut self) -> Vec<Stmt> {
        let n = 1 + self.rng.below(3);
        self.statements(n)
    }

    fn compound(&mut self) -> Stmt {
        match self.rng.below(24) {
            22 | 23 => {
                let c = self.rare();
                let s = self.mutation();
                block(format!("if {c}"), vec![s])
            }
            0..=5 => {
                let c = self.truth(2);
                let body = self.suite();
                let mut tails = Vec::new();
                if self.rng.chance(25) {
                    let c = self.truth(1);
                    tails.push((format!("elif {c}"), self.suite()));
                }
                if self.rng.chance(45) {
                    tails.push(("else".into(), self.suite()));
                }
                Stmt::Block(Block {
                    head: format!("if {c}"),
                    fixed: Vec::new(),
                    body,
                    tails,
                })
            }
            6..=9 if self.loops < 3 => self.inner_loop(),
            10 if self.inside > 0 => {
                let body = vec![line(self.rng.pick(&["break", "continue", "continue"]))];
                let c = self.rare();
                block(format!("if {c}"), body)
            }
            11..=14 => self.try_statement(),
            15 if self.classes > 0 => {
                let (k, a) = (self.rng.below(self.classes), self.int(1));
                let w = self.name("k");
                let mut body = self.suite();
                if self.rng.chance(30) {
                    let c = self.rare();
                    body.push(block(
                        format!("if {c}"),
                        vec![line("raise LookupError('swallowed')")],
                    ));
                }
                block(format!("with K{k}({a}, 1) as {w}"), body)
            }
            16 => self.match_statement(),
            17 if self.loops == 0 => self.hot_loop(),
            18 => {
                let c = self.rare();
                let s = self.mutation();
                block(format!("if {c}"), vec![s])
            }
            19 => {
                let f = self.name("inner");
                let old = self.env.clone();
                self.env.counters.push("q".into());
                let e = self.int(2);
                self.env = old;
                let a = self.int(1);
                let Some(i) = self.pick(&self.env.ints.clone()) else {
                    return self.simple();
                };
                let mut body = vec![line(format!("return {e}"))];
                if self.rng.chance(40) && self.in_main && !i.starts_with('g') {
                    // Makes the variable a cell.
                    body.insert(0, line(format!("nonlocal {i}")));
                    body.insert(1, line(format!("{i} = {i} + 1 & 1048575")));
                }
                block_with(
                    "if True",
                    Vec::new(),
                    vec![
                        block(format!("def {f}(q, r=2)"), body),
                        line(format!("{i} = {f}({a})")),
                    ],
                )
            }
            _ => {
                let c = self.rare();
                let body = self.suite();
                block(format!("if {c}"), body)
            }
        }
    }

    /// A condition that holds in few turns of a loop.
    fn rare(&mut self) -> String {
        let m = 5 + self.rng.below(20);
        let names = self.env.counters.clone();
        match self.pick(&names) {
            Some(n) if self.rng.chance(70) => format!("{n} % {m} == {}", self.rng.below(m)),
            Some(n) => format!("{n} == {}", self.rng.below(30)),
            None => {
                let a = self.int(0);
                format!("{a} % {m} == 3")
            }
        }
    }

    fn inner_loop(&mut self) -> Stmt {
        let v = self.name("j");
        let n = 2 + self.rng.below(5);
        self.loops += 1;
        self.inside += 1;
        self.env.counters.push(v.clone());
        let head = match self.rng.below(13) {
            0..=3 => format!("for {v} in range({n})"),
            4 => {
                let a = self.int(0);
                format!("for {v} in range({a} % {n})")
            }
            5 => match self.pick(&self.env.lists.clone()) {
                Some(l) => format!("for {v} in {l}[:4]"),
                None => format!("for {v} in (1, 2, 3)"),
            },
            6 => format!("for {v} in (1, 1 << 49, 3)"),
            7 if self.generators > 0 => {
                format!("for {v} in G{}({n})", self.rng.below(self.generators))
            }
            8 => format!("for {v}, u in enumerate('abc')"),
            9 => format!("for u, {v} in zip((1.5, None, 'x'), [4, 5, 6])"),
            10 if !self.env.objects.is_empty() => match self.pick(&self.env.objects.clone()) {
                Some(o) => format!("for {v} in {o}"),
                None => format!("for {v} in range({n})"),
            },
            11 => match self.pick(&self.env.dicts.clone()) {
                Some(d) => format!("for u, {v} in sorted({d}.items(), key=str)[:3]"),
                None => format!("for {v} in reversed(range({n}))"),
            },
            12 => {
                let a = self.int(0);
                format!("for {v} in ({a} + z for z in range({n}))")
            }
            _ => format!("for {v} in range(0, {n} * 2, 2)"),
        };
        let mut body = self.suite();
        self.env.counters.pop();
        self.loops -= 1;
        self.inside -= 1;
        if self.rng.chance(20) {
            return block_with(
                "if True",
                vec![format!("{v} = {n}")],
                vec![Stmt::Block(Block {
                    head: format!("while {v} > 0"),
                    fixed: vec![format!("{v} -= 1")],
                    body,
                    tails: Vec::new(),
                })],
            );
        }
        let tails = if self.rng.chance(15) {
            vec![("else".into(), vec![self.simple()])]
        } else {
            Vec::new()
        };
        if self.rng.chance(15) {
            let c = self.truth(0);
            body.push(block(format!("if {c}"), vec![line("break")]));
        }
        Stmt::Block(Block {
            head,
            fixed: Vec::new(),
            body,
            tails,
        })
    }

    fn try_statement(&mut self) -> Stmt {
        let mut body = self.suite();
        let a = self.int(1);
        let raising = match self.rng.below(9) {
            0..=2 => {
                let c = if self.rng.chance(60) {
                    self.rare()
                } else {
                    self.truth(0)
                };
                let e = self
                    .rng
                    .pick(&["ValueError", "KeyError", "IndexError", "Custom"]);
                block(format!("if {c}"), vec![line(format!("raise {e}({a})"))])
            }
            3 | 4 if self.raisers > 0 => {
                let k = self.rng.below(self.raisers);
                match self.pick(&self.env.ints.clone()) {
                    Some(i) => line(format!("{i} = R{k}({a})")),
                    None => line(format!("R{k}({a})")),
                }
            }
            5 => match self.pick(&self.env.lists.clone()) {
                Some(l) => line(format!("{l}[{a} % 9] += 1")),
                None => line(format!("1 // ({a} % 3)")),
            },
            6 => match self.pick(&self.env.anys.clone()) {
                Some(z) => {
                    // What doubles in each turn of a loop is soon all there is room for.
                    let b = match self.any(0) {
                        b if b.contains('z') => "(1, 'q')".into(),
                        b => b,
                    };
                    line(format!("{z} = generic_add({z}, {b})"))
                }
                None => line(format!("1 // ({a} % 4)")),
            },
            7 => match self.pick(&self.env.objects.clone()) {
                Some(o) => line(format!("{o}.extra += {a} % 100")),
                None => line(format!("[][{a} % 2]")),
            },
            _ => match self.pick(&self.env.dicts.clone()) {
                Some(d) => {
                    let k = self.key();
                    line(format!("{d}[{k}] += 1"))
                }
                None => line(format!("1 % ({a} % 5)")),
            },
        };
        let at = self.rng.below(body.len() + 1);
        body.insert(at, raising);
        let mut tails = Vec::new();
        let finally = self.rng.chance(25);
        if !finally || self.rng.chance(70) {
            let class = self.rng.pick(&[
                "ValueError",
                "(ValueError, Custom)",
                "LookupError",
                "ArithmeticError",
                "Exception",
                "Exception",
                "Exception",
                "TypeError",
            ]);
            let mut handler = self.suite();
            let head = if self.rng.chance(50) {
                handler.push(line(self.rng.pick(&[
                    "gl = show(exc)",
                    "l0.append(exc.__traceback__.tb_lineno)",
                    "exc = None",
                    "s0 = kind(exc)",
                ])));
                format!("except {class} as exc")
            } else {
                format!("except {class}")
            };
            if self.rng.chance(6) {
                handler.push(line("raise"));
            }
            if self.rng.chance(5) {
                handler.push(line("raise Custom('again')"));
            }
            tails.push((head, handler));
            if self.rng.chance(15) {
                tails.push(("else".into(), self.suite()));
            }
        }
        if finally {
            tails.push(("finally".into(), self.suite()));
        }
        Stmt::Block(Block {
            head: "try".into(),
            fixed: Vec::new(),
            body,
            tails,
        })
    }

    fn match_statement(&mut self) -> Stmt {
        let subject = self.any(1);
        let mut cases = Vec::new();
        for pattern in ["int()", "str() | float()", "(_, _)", "[m]", "None", "_"] {
            if pattern == "_" || self.rng.chance(45) {
                let body = self.suite();
                cases.push(block(format!("case {pattern}"), body));
            }
        }
        block(format!("match {subject}"), cases)
    }

    /// A change of what traces rest on.
    pub(super) fn mutation(&mut self) -> Stmt {
        let k = self.rng.below(self.classes.max(1));
        let a = self.int(0);
        let text = match self.rng.below(22) {
            // The name moves to another place of its namespace.
            18 => "_v = globals().pop('g1')\nglobals()['fresh'] = 1\nglobals()['g1'] = _v".into(),
            19 => "for _i in range(9): globals()['fresh' + str(_i)] = _i".into(),
            20 => format!("K{k}.m0 = lambda self, x: self.b - x"),
            21 => format!("K{k}.__call__ = lambda self, x: 5"),
            0 => format!("K{k}.m0 = alternative"),
            1 => format!("K{k}.count = {a}"),
            2 => format!("K{k}.extra = {a}"),
            3 => format!("try: del K{k}.extra\nexcept AttributeError: pass"),
            4 => format!("K{k}.m0 = lambda self, x: x + {}", self.rng.below(9)),
            5 => format!("K{k}.__add__ = lambda self, o: self"),
            6 => format!("K{k}.p = {}", self.rng.below(99)),
            7 => "globals()['len'] = mylen".into(),
            8 => "globals().pop('len', None)".into(),
            9 => "globals()['abs'] = myabs".into(),
            10 => "globals().pop('abs', None)".into(),
            11 if self.functions.len() > 1 => {
                let n = self.functions.len();
                let (f, h) = (self.rng.below(n), self.rng.below(n));
                let (f, h) = (self.functions[f].clone(), self.functions[h].clone());
                if f.heavy || h.heavy {
                    "globals()['abs'] = myabs".into()
                } else {
                    format!("globals()['{}'] = {}", f.name, h.name)
                }
            }
            12 if !self.functions.is_empty() => {
                let f = self.rng.below(self.functions.len());
                format!(
                    "{}.__defaults__ = ({},)",
                    self.functions[f].name,
                    self.rng.below(50)
                )
            }
            13 => "myabs.__code__ = mylen.__code__".into(),
            14 => match self.pick(&self.env.objects.clone()) {
                Some(o) => format!("try: {o}.__class__ = K{k}\nexcept TypeError: pass"),
                None => "globals().pop('abs', None)".into(),
            },
            15 => "globals()['g1'] = 'text' if kind(g1) == 'int' else 77".into(),
            16 => format!("K{k}.__getitem__ = lambda self, i: 11"),
            _ => format!("K{k}.__lt__ = lambda self, o: True"),
        };
        line(text)
    }

    fn simple(&mut self) -> Stmt {
        let text = self.simple_text();
        line(text)
    }

    fn simple_text(&mut self) -> String {
        match self.rng.below(44) {
            0..=9 => match self.pick(&self.env.ints.clone()) {
                Some(i) => {
                    let e = self.int(3);
                    match self.rng.below(8) {
                        6 => format!("{i} += {i}"),
                        7 => {
                            let k = self.rng.pick(&["16", "4096", "65536", "1048576", "-4096"]);
                            format!("{i} = {i} * {k}")
                        }
                        0 => format!("{i} += {e}"),
                        1 => format!("{i} -= {e}"),
                        2 => format!("{i} ^= {e}"),
                        _ => format!("{i} = {e}"),
                    }
                }
                None => format!("out({})", self.int(1)),
            },
            10..=13 => match self.pick(&self.env.floats.clone()) {
                Some(x) => {
                    let e = self.float(2);
                    let op = self.rng.pick(&["=", "+=", "*=", "-="]);
                    format!("{x} {op} {e}")
                }
                None => "pass".into(),
            },
            14 | 15 => match self.pick(&self.env.strs.clone()) {
                Some(s) => {
                    let e = self.string(2);
                    format!("{s} = {e}")
                }
                None => "pass".into(),
            },
            16..=20 => match self.pick(&self.env.lists.clone()) {
                Some(l) => {
                    let (e, i) = (self.int(2), self.int(1));
                    match self.rng.below(11) {
                        0..=3 => format!("{l}[{i} % len({l})] = {e}"),
                        4 => format!("{l}.append({e})"),
                        5 => format!("{l} = {}", self.list(1)),
                        6 => format!("{l}[1:2] = [{e}, 2]"),
                        7 => format!("if len({l}) > 2: {l}.pop()"),
                        8 => format!("if len({l}) > 2: del {l}[{i} % len({l})]"),
                        9 => format!("{l}.insert({i} % 3, {e})"),
                        _ => format!("{l}.reverse()"),
                    }
                }
                None => "pass".into(),
            },
            21 | 22 => match self.pick(&self.env.dicts.clone()) {
                Some(d) => {
                    let (k, e) = (self.key(), self.int(1));
                    match self.rng.below(6) {
                        0 => format!("{d}.pop({k}, None)"),
                        1 => format!("{d}.setdefault({k}, {e})"),
                        2 => format!("{d} = {{**{d}, {k}: {e}}}"),
                        _ => format!("{d}[{k}] = {e}"),
                    }
                }
                None => "pass".into(),
            },
            23 => match self.pick(&self.env.sets.clone()) {
                Some(s) => {
                    let e = self.int(1);
                    let m = self.rng.pick(&["add", "discard"]);
                    format!("{s}.{m}({e} % 9)")
                }
                None => "pass".into(),
            },
            24..=31 => self.object_statement(),
            32 => match self.pick(&self.env.anys.clone()) {
                Some(z) => {
                    let e = self.any(2);
                    format!("{z} = {e}")
                }
                None => "pass".into(),
            },
            33 => match self.pick(&self.env.tuples.clone()) {
                Some(t) => {
                    let (a, b) = (self.int(1), self.any(1));
                    format!("{t} = ({a}, {b})")
                }
                None => "pass".into(),
            },
            34 => {
                let (a, b) = (
                    self.pick(&self.env.ints.clone()),
                    self.pick(&self.env.ints.clone()),
                );
                match (a, b) {
                    (Some(a), Some(b)) if a != b => format!("{a}, {b} = {b}, {a}"),
                    (Some(a), _) => {
                        let e = self.list(1);
                        format!("{a}, *_ = {e} + [4]")
                    }
                    _ => "pass".into(),
                }
            }
            35 | 36 if !self.env.counters.is_empty() && self.rng.chance(60) => {
                // Something changes within a call that the trace does not look into.
                let names = self.env.counters.clone();
                let n = self.pick(&names).unwrap_or_else(|| "3".into());
                let at = self.rng.below(30);
                match self.rng.below(4) {
                    0 => format!("mutate(*[{n}, {at}])"),
                    1 => format!("mutate(n={n}, **{{'at': {at}}})"),
                    2 => format!("sorted([{n}], key=lambda q: mutate(q, {at}))"),
                    _ => {
                        let c = self.rare();
                        format!("(keep if {c} else count)({n}, {at})")
                    }
                }
            }
            35 => {
                let c = self.rare();
                let s = self.any(1);
                format!("if {c}: out({s})")
            }
            36 => match self.pick(&self.env.generators.clone()) {
                Some(y) => {
                    let a = self.int(0);
                    match self.rng.below(4) {
                        0 => format!(
                            "try: {y}.send({a})\nexcept (StopIteration, TypeError): {y} = G0(9)"
                        ),
                        1 => {
                            let c = self.rare();
                            format!("if {c}: {y}.close()")
                        }
                        2 => {
                            let c = self.rare();
                            format!(
                                "try:\n    if {c}: {y}.throw(ValueError({a}))\nexcept (ValueError, StopIteration): {y} = G0(5)"
                            )
                        }
                        _ => format!("{y} = iter({y})"),
                    }
                }
                None => "pass".into(),
            },
            37 if self.in_main => {
                format!(
                    "g{} = {}",
                    self.rng.below(2),
                    self.int(2).replace("g1", "7")
                ) + " % 1000000007"
            }
            38 => match self.pick(&self.env.ints.clone()) {
                Some(i) if self.in_main => {
                    let e = self.int(1);
                    format!(
                        "del {i}; {i} = 0 if {} else {}",
                        self.truth(0).replace(&i, "g0"),
                        e.replace(&i, "g0")
                    )
                }
                _ => "pass".into(),
            },
            39 if self.in_main => "s0 = caller()".into(),
            40 => match self.pick(&self.env.ints.clone()) {
                Some(i) => {
                    let e = self.call(2);
                    format!("{i} = {e}")
                }
                None => "pass".into(),
            },
            41 => {
                let (a, b) = (self.int(1), self.int(1));
                format!("(lambda u, v=3: u + v)({a}, {b})")
            }
            _ => match self.pick(&self.env.ints.clone()) {
                Some(i) => {
                    let a = self.int(1);
                    let m = 2 + self.rng.below(50);
                    format!("{i} = ({i} + {a}) % {m}")
                }
                None => "pass".into(),
            },
        }
    }

    fn object_statement(&mut self) -> String {
        let objects = self.env.objects.clone();
        let Some(o) = self.pick(&objects) else {
            return "pass".into();
        };
        let other = self.pick(&objects).unwrap_or_else(|| o.clone());
        let (e, k) = (self.int(2), self.rng.below(self.classes.max(1)));
        match self.rng.below(19) {
            16 | 17 => {
                let (c, n) = (self.rare(), self.rng.below(self.classes.max(1)));
                format!("{o} = K{k}({e}, 3) if {c} else K{n}(2, 4)")
            }
            18 => {
                let (c, n) = (self.rare(), self.rng.below(self.classes.max(1)));
                format!("{o} = (K{k} if {c} else K{n})({e}, 5)")
            }
            0..=3 => format!("{o}.{} = {e}", self.rng.pick(&["a", "b"])),
            4 | 5 => format!("{o} = K{k}({e}, {})", self.int(0)),
            6 | 7 => format!("{o} = {o} + {other}"),
            8 => format!("{o} = {o} + ({e} & 4095)"),
            9 => format!("{o}.p = {e}"),
            10 => format!("{o}.c = {}", self.any(1)),
            11 => format!("{o}.a += {e} & 65535"),
            12 => format!("{o}, {other} = {other}, {o}"),
            13 => {
                let c = self.rare();
                format!("if {c}: {o}.extra = {e}")
            }
            14 => format!("{o}[{}] = {e}", self.rng.below(5)),
            _ => match self.pick(&self.env.ints.clone()) {
                Some(i) => format!("{i} = {o}.a + {other}.b & 1048575"),
                None => "pass".into(),
            },
        }
    }
}

fn block_with(head: &str, fixed: Vec<String>, body: Vec<Stmt>) -> Stmt {
    Stmt::Block(Block {
        head: head.into(),
        fixed,
        body,
        tails: Vec::new(),
    })
}
