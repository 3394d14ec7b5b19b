//! Classes, functions and generators of a program.

use super::{Env, Gen};
use crate::tree::{Stmt, block, line};

/// A function of ints `a` and `b`.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub name: String,
    /// Takes `k=`.
    pub keyword: bool,
    /// Takes further positional arguments.
    pub rest: bool,
    /// Takes further keyword arguments.
    pub keywords: bool,
    /// Has a loop.
    pub heavy: bool,
}

impl Gen {
    /// All definitions before `main`.
    pub(super) fn definitions(&mut self, all: &mut Vec<Stmt>) {
        all.push(line("class Custom(Exception):\n    pass"));
        all.push(line(
            "def alternative(self, x):\n    self.b = x & 255\n    return self.b + 1",
        ));
        for _ in 0..1 + self.rng.below(3) {
            let f = self.function();
            all.push(f);
        }
        for _ in 0..1 + self.rng.below(2) {
            let r = self.raiser();
            all.push(r);
        }
        for _ in 0..self.rng.pick(&[0, 1, 1, 1, 2, 2, 2, 3]) {
            let c = self.class();
            all.push(c);
        }
        all.push(line(
            "def keep(n, at):\n    return n\ndef count(n, at):\n    global g0\n    g0 = g0 + 1 & 1023\n    return n + at & 255",
        ));
        let what = self.mutation();
        let what = match what {
            Stmt::Line(text) => text,
            Stmt::Block(_) => "pass".into(),
        };
        all.push(block(
            "def mutate(n, at)",
            vec![block("if n == at", vec![line(what)]), line("return n")],
        ));
        for _ in 0..1 + self.rng.below(2) {
            let g = self.generator();
            all.push(g);
        }
        if self.classes > 0 {
            all.push(line("go = K0(1, 2)"));
        }
    }

    fn small_scope(&mut self, names: &[&str]) {
        self.env = Env {
            ints: names.iter().map(|n| (*n).to_owned()).collect(),
            ..Env::default()
        };
    }

    fn function(&mut self) -> Stmt {
        let n = self.functions.len();
        let heavy = self.rng.chance(30);
        let s = Signature {
            name: format!("f{n}"),
            keyword: self.rng.chance(30),
            rest: self.rng.chance(25),
            keywords: self.rng.chance(20),
            heavy,
        };
        let mut head = format!("def {}(a, b={}", s.name, self.rng.below(20));
        if s.rest {
            head += ", *rest";
        } else if s.keyword {
            head += ", *";
        }
        if s.keyword {
            head += &format!(", k={}", self.rng.below(9));
        }
        if s.keywords {
            head += ", **kw";
        }
        head += ")";
        self.small_scope(if s.keyword {
            &["a", "b", "k"]
        } else {
            &["a", "b"]
        });
        self.depth = 1;
        self.loops = 2;
        let mut body = Vec::new();
        for _ in 0..self.rng.below(3) {
            let st = self.statement();
            body.push(st);
        }
        if s.rest && self.rng.chance(70) {
            body.push(line("a = a + len(rest)"));
        }
        if s.keywords && self.rng.chance(70) {
            body.push(line("a = a + len(kw)"));
        }
        if heavy {
            let v = self.name("h");
            self.env.counters.push(v.clone());
            let inner = self.statements(1);
            body.push(block(
                format!("for {v} in range({})", 2 + self.rng.below(5)),
                inner,
            ));
        }
        if self.rng.chance(25) {
            let c = self.truth(1);
            let e = self.int(1);
            body.push(block(format!("if {c}"), vec![line(format!("return {e}"))]));
        }
        self.env.counters.clear();
        let e = self.int(2);
        body.push(line(format!("return {e}")));
        self.depth = 0;
        self.loops = 0;
        self.env = Env::default();
        self.functions.push(s);
        block(head, body)
    }

    /// A function that raises for some of its arguments.
    fn raiser(&mut self) -> Stmt {
        let n = self.raisers;
        self.raisers += 1;
        let m = 2 + self.rng.below(9);
        let class = self
            .rng
            .pick(&["ValueError", "KeyError", "Custom", "IndexError"]);
        let test = vec![line(format!("raise {class}(x, {n})"))];
        let mut body = vec![block(format!("if x % {m} == {}", self.rng.below(m)), test)];
        if n > 0 && self.rng.chance(60) {
            body.push(line("x = R0(x + 1)"));
        }
        if self.rng.chance(30) {
            body = vec![Stmt::Block(crate::tree::Block {
                head: "try".into(),
                fixed: Vec::new(),
                body,
                tails: vec![(
                    "finally".into(),
                    vec![line("global g0"), line("g0 = g0 + 1 & 1023")],
                )],
            })];
            body.insert(0, line("global g0"));
            if let Some(Stmt::Block(b)) = body.last_mut() {
                b.tails[0].1.remove(0);
            }
        }
        body.push(line("return x + 1 & 1048575"));
        block(format!("def R{n}(x)"), body)
    }

    fn generator(&mut self) -> Stmt {
        let n = self.generators;
        self.generators += 1;
        self.small_scope(&["n"]);
        self.env.counters.push("j".into());
        self.loops = 2;
        let (a, b) = (self.int(2), self.int(2));
        self.loops = 0;
        self.env = Env::default();
        // A recursion of generators, or an element that `n` decides, would not end.
        let mut inner = match self.rng.below(6) {
            0 => vec![line(format!("yield {a}"))],
            1 => vec![line(format!("yield {a}")), line(format!("yield {b}"))],
            2 => vec![block(
                format!("if j % 3 == {}", self.rng.below(3)),
                vec![line(format!("yield {a}"))],
            )],
            3 => vec![
                line(format!("got = yield {a}")),
                block("if got", vec![line("j = j + got % 3")]),
            ],
            4 if n > 0 => vec![
                line(format!("yield {a}")),
                line(format!("yield from G{}(j & 3)", self.rng.below(n))),
            ],
            _ => vec![Stmt::Block(crate::tree::Block {
                head: "try".into(),
                fixed: Vec::new(),
                body: vec![line(format!("yield {a}"))],
                tails: vec![if self.rng.chance(50) {
                    // When a generator that nobody holds is closed, is the collector's affair.
                    ("finally".into(), vec![line("j = j + 1")])
                } else {
                    ("except ValueError".into(), vec![line(format!("yield {b}"))])
                }],
            })],
        };
        if self.rng.chance(15) {
            inner.push(block("if j == 11", vec![line("return 5")]));
        }
        block(
            format!("def G{n}(n)"),
            vec![block("for j in range(min(n, 60))", inner)],
        )
    }

    fn class(&mut self) -> Stmt {
        let n = self.classes;
        let derived = n > 0 && self.rng.chance(50);
        let base = if derived {
            format!("(K{})", self.rng.below(n))
        } else {
            String::new()
        };
        let mut body = Vec::new();
        let slots = !derived && self.rng.chance(25);
        if slots {
            body.push(line("__slots__ = ('a', 'b', 'c')"));
        }
        body.push(line(format!("count = {}", self.rng.below(9))));
        self.loops = 2;
        self.depth = 2;
        let mut method = |g: &mut Gen, head: &str, names: &[&str], chance: usize| {
            if derived && !g.rng.chance(chance) {
                return;
            }
            g.small_scope(names);
            let mut inner = Vec::new();
            if names.contains(&"self.a") && g.rng.chance(35) {
                let e = g.int(1);
                let to = g.rng.pick(&["self.a", "self.b"]);
                inner.push(line(format!("{to} = {e} & 1048575")));
            }
            if g.rng.chance(20) {
                let c = g.truth(0);
                let e = g.int(1);
                inner.push(block(format!("if {c}"), vec![line(format!("return {e}"))]));
            }
            let e = g.int(2);
            inner.push(line(format!("return {e}")));
            body.push(block(head, inner));
        };
        let own = ["self.a", "self.b", "x"];
        method(self, "def m0(self, x)", &own, 50);
        method(self, "def __getitem__(self, x)", &own, 20);
        method(self, "def __call__(self, x)", &own, 20);
        method(self, "@staticmethod\ndef sm(x)", &["x"], 20);
        method(
            self,
            "@classmethod\ndef cm(cls, x)",
            &["x", "cls.count"],
            20,
        );
        method(self, "@property\ndef p(self)", &["self.a", "self.b"], 30);
        self.env = Env::default();
        self.loops = 0;
        self.depth = 0;
        let init = if derived && self.rng.chance(60) {
            vec![line("super().__init__(a, b)"), line("self.c = None")]
        } else {
            // Two orders: the same attribute in another place.
            let (a, b) = (line("self.a = a"), line("self.b = b"));
            if self.rng.chance(50) {
                vec![a, b]
            } else {
                vec![b, a]
            }
        };
        if !derived || self.rng.chance(60) {
            body.insert(1, block("def __init__(self, a, b=7)", init));
        }
        if derived && self.rng.chance(40) {
            body.push(line(
                "def m0(self, x):\n    return super().m0(x) + self.count",
            ));
        }
        if !derived {
            body.push(line("@p.setter\ndef p(self, v):\n    self.b = v & 4095"));
            body.push(line(format!(
                "def m1(self, x, *r):\n    return self.m0(x) + {}",
                self.rng.below(5)
            )));
            body.push(line("def __len__(self):\n    return self.b & 7"));
            body.push(line("def __setitem__(self, i, v):\n    self.b = i"));
            body.push(line(self.rng.pick(&[
                "def __iter__(self):\n    return iter([1, 2, self.b])",
                "def __iter__(self):\n    yield 1\n    yield self.b",
            ])));
            body.push(line(
                "def __enter__(self):\n    self.a = 1\n    return self",
            ));
            body.push(line(
                "def __exit__(self, t, e, tb):\n    self.b = 2\n    return t is LookupError",
            ));
            body.push(line(self.rng.pick(&[
                "def __lt__(self, o):\n    return self.a < o.a",
                "def __lt__(self, o):\n    global g0\n    g0 = g0 + 1 & 255\n    return self.b > o.b",
            ])));
            if self.rng.chance(50) {
                body.push(line("def __eq__(self, o):\n    return self.a == o"));
            }
            if self.rng.chance(40) {
                body.push(line("def __bool__(self):\n    return self.a % 2 == 0"));
            }
        }
        if !derived || self.rng.chance(20) {
            let k = if self.rng.chance(70) {
                format!("K{n}")
            } else {
                "type(self)".into()
            };
            body.push(line(self.rng.pick(&[
                "def __add__(self, o):\n    if type(o) is int:\n        return K(self.a + o & 1048575, self.b)\n    return K(self.a + o.a & 1048575, o.b)",
                "def __add__(self, o):\n    n = K(self.a ^ getattr(o, 'a', 3), self.b)\n    n.b = n.b + 1\n    return n",
            ]).replace("K(", &format!("{k}("))));
            if self.rng.chance(30) {
                body.push(line("def __getattr__(self, name):\n    if name == 'extra':\n        return 4\n    raise AttributeError(name)"));
            }
        }
        self.classes += 1;
        block(format!("class K{n}{base}"), body)
    }
}
