//! Loops that a trace holds as a whole: arithmetic, objects, few calls.
//!
//! Random statements call so much that registers are written back all the time and
//! every object becomes real. In these loops variables keep their types, so that they
//! live in machine registers, objects are virtual from one turn to the next, and what
//! an exit restores is a lot.

use super::Gen;
use crate::tree::{Stmt, block, line};

impl Gen {
    /// Variables of its own, the loop, and what became of them.
    pub(super) fn lean_loop(&mut self) -> Stmt {
        let n = self.name("n");
        let (a, b) = (self.rng.below(50), self.int_literal());
        let mut all = vec![line(format!("u0 = {a}\nu1 = {b}\nw0 = 0.5\nt1 = (1, 2.5)"))];
        if self.classes > 0 {
            let (j, k) = (self.rng.below(self.classes), self.rng.below(self.classes));
            all.push(line(format!("r0 = K{j}(1, 2)\nr1 = K{k}(3, {a})")));
        }
        let count = 3 + self.rng.below(6);
        let mut body: Vec<Stmt> = (0..count).map(|_| self.lean(&n, 2)).collect();
        // Cuts, on values that stay in registers.
        body.insert(0, line("if u0 > 100000 or u0 < -100000: u0 = u0 % 1009"));
        body.insert(1, line("if u1 > 1 << 47 or u1 < -100000: u1 = 5"));
        body.push(line("acc = (acc * 31 + u0) % 1000003"));
        all.push(block(
            format!("for {n} in range({})", 15 + self.rng.below(45)),
            body,
        ));
        all.push(line(if self.classes > 0 {
            "out(acc, u0, u1, w0, t1, r0, r1)"
        } else {
            "out(acc, u0, u1, w0, t1)"
        }));
        block("if True", all)
    }

    fn lean_int(&mut self, n: &str) -> String {
        let k = self.rng.below(10);
        let objects = self.classes > 0;
        match self.rng.below(12) {
            0..=2 => "u0".into(),
            3 => "u1".into(),
            4 | 5 => n.into(),
            6 => k.to_string(),
            7 => "t1[0]".into(),
            8 | 9 if objects => "r0.a".into(),
            10 if objects => "r1.b".into(),
            11 if objects => "r0.b".into(),
            _ => "u0".into(),
        }
    }

    fn lean_test(&mut self, n: &str) -> String {
        let k = self.rng.below(9);
        match self.rng.below(8) {
            0..=2 => format!("{n} % {} == {}", 3 + k, k % 3),
            3 => format!("{n} == {}", 3 + 4 * k),
            4 => {
                let (a, b) = (self.lean_int(n), self.lean_int(n));
                format!("{a} {} {b}", self.rng.pick(&["<", ">", "<=", "=="]))
            }
            5 if self.classes > 0 => self.rng.pick(&["r0 is r1", "r0 is not r1"]).into(),
            6 => "w0 < 1000.0".into(),
            _ => format!("u0 & {}", 1 << (k % 4)),
        }
    }

    /// A statement of a lean loop over `n`.
    fn lean(&mut self, n: &str, depth: u32) -> Stmt {
        let kinds = if self.classes > 0 { 24 } else { 10 };
        let text = match self.rng.below(kinds) {
            0..=2 => {
                let (a, b) = (self.lean_int(n), self.lean_int(n));
                let op = self.rng.pick(&["+", "-", "&", "|", "^", "+"]);
                format!("u0 = {a} {op} {b}")
            }
            3 => {
                let a = self.lean_int(n);
                format!("u1 = u1 * {} + {a}", self.rng.pick(&["2", "3", "16"]))
            }
            4 => {
                let a = self.lean_int(n);
                format!("w0 = w0 * 0.5 + {a}")
            }
            5 => {
                let a = self.lean_int(n);
                format!("t1 = ({a}, w0)")
            }
            6..=8 if depth > 0 => {
                let c = self.lean_test(n);
                let count = 1 + self.rng.below(2);
                let body = (0..count).map(|_| self.lean(n, depth - 1)).collect();
                let mut s = block(format!("if {c}"), body);
                if self.rng.chance(40)
                    && let Stmt::Block(b) = &mut s
                {
                    b.tails.push(("else".into(), vec![self.lean(n, depth - 1)]));
                }
                return s;
            }
            9 => {
                let a = self.lean_int(n);
                format!(
                    "u0 = {}",
                    self.rng.pick(&[
                        format!("keep({a}, 2)"),
                        format!("count({a}, 1)"),
                        format!("myabs({a})")
                    ])
                )
            }
            10..=13 => {
                let (a, b) = (self.lean_int(n), self.lean_int(n));
                let k = self.rng.below(self.classes);
                format!("{} = K{k}({a}, {b})", self.rng.pick(&["r0", "r0", "r1"]))
            }
            14 => {
                let a = self.lean_int(n);
                format!("{} = {a}", self.rng.pick(&["r0.a", "r0.b", "r1.b"]))
            }
            15 => format!("{} += 1", self.rng.pick(&["r0.a", "r0.b", "r1.b"])),
            16 => self
                .rng
                .pick(&["r0, r1 = r1, r0", "r1 = r0", "r0 = r1"])
                .into(),
            20 | 21 => {
                // Two names of a new object.
                let (a, b) = (self.lean_int(n), self.lean_int(n));
                let k = self.rng.below(self.classes);
                format!("r0 = r1 = K{k}({a}, {b})")
            }
            17 => {
                // An object in an object.
                let a = self.lean_int(n);
                let k = self.rng.below(self.classes);
                format!("r0.c = K{k}({a}, {n})\nu0 = u0 + r0.c.a")
            }
            18 => {
                let a = self.lean_int(n);
                format!("u0 = {}.m0({a})", self.rng.pick(&["r0", "r1"]))
            }
            19 => format!("r0 = r0 + {}", self.rng.pick(&["r1", "3", "r0"])),
            _ => {
                let c = self.lean_test(n);
                let objects = if self.classes > 0 { "r0, r1, " } else { "" };
                format!("if {c}: out({objects}u0)")
            }
        };
        line(text)
    }
}
