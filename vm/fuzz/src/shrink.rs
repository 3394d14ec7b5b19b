//! Makes a failing program small: statements are deleted, and compound statements
//! replaced by their suites, for as long as the program goes on failing.

use crate::tree::Stmt;

/// The smallest program found that still fails, with at most `budget` calls of
/// `fails`. `fails` is true of `stmts`.
pub fn shrink(stmts: &[Stmt], budget: usize, fails: &mut dyn FnMut(&[Stmt]) -> bool) -> Vec<Stmt> {
    let mut s = Shrinker {
        best: stmts.to_vec(),
        budget,
        fails,
    };
    loop {
        let before = s.best.clone();
        // Suites outermost first: one deletion there removes most.
        for at in suites(&s.best) {
            s.delete_runs(&at);
        }
        for at in suites(&s.best) {
            s.unwrap_blocks(&at);
        }
        if s.best == before || s.budget == 0 {
            return s.best;
        }
    }
}

struct Shrinker<'a> {
    best: Vec<Stmt>,
    budget: usize,
    fails: &'a mut dyn FnMut(&[Stmt]) -> bool,
}

impl Shrinker<'_> {
    /// Keeps the candidate if it fails.
    fn accept(&mut self, candidate: Vec<Stmt>) -> bool {
        if self.budget == 0 || candidate == self.best {
            return false;
        }
        self.budget -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    /// Deletes runs of statements of one suite: halves first, single ones last.
    fn delete_runs(&mut self, at: &[usize]) {
        let Some(n) = suite(&self.best, at).map(<[Stmt]>::len) else {
            return;
        };
        let mut run = n.div_ceil(2).max(1);
        loop {
            let mut from = 0;
            while let Some(len) = suite(&self.best, at).map(<[Stmt]>::len)
                && from < len
            {
                let mut candidate = self.best.clone();
                if let Some(s) = suite_mut(&mut candidate, at) {
                    s.drain(from..(from + run).min(len));
                }
                if !self.accept(candidate) {
                    from += run;
                }
            }
            if run == 1 {
                break;
            }
            run = run.div_ceil(2);
        }
    }

    /// Puts the suite of a block in its place, and drops further parts.
    fn unwrap_blocks(&mut self, at: &[usize]) {
        let mut i = 0;
        while let Some(s) = suite(&self.best, at)
            && i < s.len()
        {
            if let Stmt::Block(b) = &s[i] {
                let inside = b.body.clone();
                let mut candidate = self.best.clone();
                if let Some(s) = suite_mut(&mut candidate, at) {
                    s.splice(i..=i, inside);
                }
                self.accept(candidate);
                for tail in (0..4).rev() {
                    let mut candidate = self.best.clone();
                    if let Some(Stmt::Block(b)) =
                        suite_mut(&mut candidate, at).and_then(|s| s.get_mut(i))
                        && tail < b.tails.len()
                    {
                        b.tails.remove(tail);
                        self.accept(candidate);
                    }
                }
            }
            i += 1;
        }
    }
}

/// Paths of all suites: pairs of statement index and part (0: the body).
fn suites(stmts: &[Stmt]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    let mut next = 0;
    while next < all.len() {
        let at = all[next].clone();
        next += 1;
        for (i, s) in suite(stmts, &at).unwrap_or_default().iter().enumerate() {
            if let Stmt::Block(b) = s {
                for part in 0..=b.tails.len() {
                    all.push(at.iter().copied().chain([i, part]).collect());
                }
            }
        }
    }
    all
}

fn suite<'a>(stmts: &'a [Stmt], at: &[usize]) -> Option<&'a [Stmt]> {
    let [i, part, rest @ ..] = at else {
        return Some(stmts);
    };
    match stmts.get(*i)? {
        Stmt::Line(_) => None,
        Stmt::Block(b) if *part == 0 => suite(&b.body, rest),
        Stmt::Block(b) => suite(&b.tails.get(part - 1)?.1, rest),
    }
}

fn suite_mut<'a>(stmts: &'a mut Vec<Stmt>, at: &[usize]) -> Option<&'a mut Vec<Stmt>> {
    let [i, part, rest @ ..] = at else {
        return Some(stmts);
    };
    match stmts.get_mut(*i)? {
        Stmt::Line(_) => None,
        Stmt::Block(b) => {
            let inner = match part.checked_sub(1) {
                None => &mut b.body,
                Some(tail) => &mut b.tails.get_mut(tail)?.1,
            };
            suite_mut(inner, rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{block, line, source};

    #[test]
    fn what_the_failure_needs_is_left() {
        let program = vec![
            line("a = 1"),
            block(
                "for i in range(3)",
                vec![line("b = 2"), block("if a", vec![line("bad"), line("c")])],
            ),
            line("d = 4"),
        ];
        let small = shrink(&program, 1000, &mut |s| source(s).contains("bad"));
        assert_eq!(source(&small), "bad\n");
    }

    #[test]
    fn the_budget_ends_the_search() {
        let program: Vec<Stmt> = (0..100).map(|i| line(format!("x{i}"))).collect();
        let mut calls = 0;
        let small = shrink(&program, 10, &mut |_| {
            calls += 1;
            false
        });
        assert_eq!((calls, small.len()), (10, 100));
    }
}
