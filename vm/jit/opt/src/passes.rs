//! Which passes run: the `--jit-passes` switch.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

macro_rules! passes {
    ($($(#[$doc:meta])* $pass:ident $name:literal;)*) => {
        /// One optimization, switchable alone. Its name is its flag and its dump stage.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Pass { $($(#[$doc])* $pass,)* }

        impl Pass {
            /// All passes in the order in which they act.
            pub const ALL: &'static [Pass] = &[$(Pass::$pass),*];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Pass::$pass => $name,)* }
            }
        }
    };
}

passes! {
    /// Constants and algebra.
    Fold "fold";
    /// Equal pure ops are done once.
    Cse "cse";
    /// Guards that earlier guards imply disappear.
    Guards "guards";
    /// Loads know what was stored or loaded before.
    Heap "heap";
    /// The first iteration is peeled off, so that invariants leave the loop.
    Peel "peel";
    /// Allocations and boxes that only exits see move into the exits.
    Sink "sink";
    /// Ops whose result nobody needs disappear.
    Dce "dce";
    /// Values live in registers (done by the backend).
    Regalloc "regalloc";
}

/// A set of passes. Any subset is correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PassSet(u32);

impl PassSet {
    /// `noopt`.
    pub const NONE: PassSet = PassSet(0);

    #[must_use]
    pub fn all() -> PassSet {
        Pass::ALL
            .iter()
            .fold(PassSet::NONE, |set, &pass| set.with(pass))
    }

    #[must_use]
    pub fn has(self, pass: Pass) -> bool {
        self.0 >> pass as u32 & 1 != 0
    }

    #[must_use]
    pub fn with(self, pass: Pass) -> PassSet {
        PassSet(self.0 | 1 << pass as u32)
    }

    #[must_use]
    pub fn without(self, pass: Pass) -> PassSet {
        PassSet(self.0 & !(1 << pass as u32))
    }

    /// The subset chosen by the low bits of a number; for random tests.
    #[must_use]
    pub fn from_bits(bits: u32) -> PassSet {
        PassSet(bits & PassSet::all().0)
    }
}

/// A word of the switch that names no pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no pass is called `{0}`; there are {names}", names = Pass::ALL.iter().map(|p| p.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownPass(pub String);

impl FromStr for PassSet {
    type Err = UnknownPass;

    /// `fold,cse` is these two; `-peel` is all but that one; `all` and `none` are themselves. Words
    /// act from left to right, starting from all passes if the first one is negative.
    fn from_str(text: &str) -> Result<PassSet, UnknownPass> {
        let mut set = if text.trim_start().starts_with('-') {
            PassSet::all()
        } else {
            PassSet::NONE
        };
        for word in text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            let (name, on) = word
                .strip_prefix('-')
                .map_or((word, true), |name| (name, false));
            set = match name {
                "all" if on => PassSet::all(),
                "none" if on => PassSet::NONE,
                _ => {
                    let pass = Pass::ALL.iter().find(|pass| pass.name() == name);
                    let &pass = pass.ok_or_else(|| UnknownPass(word.to_owned()))?;
                    if on {
                        set.with(pass)
                    } else {
                        set.without(pass)
                    }
                }
            };
        }
        Ok(set)
    }
}

impl Display for PassSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Pass::ALL
            .iter()
            .filter(|&&pass| self.has(pass))
            .map(|pass| pass.name())
            .collect();
        f.write_str(
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(",")
            }
            .as_str(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_act_from_left_to_right() {
        let set = |text: &str| text.parse::<PassSet>().expect("known words");
        assert_eq!(set("fold,cse").to_string(), "fold,cse");
        assert_eq!(set("-peel"), PassSet::all().without(Pass::Peel));
        assert_eq!(
            set("all,-fold,-sink"),
            PassSet::all().without(Pass::Fold).without(Pass::Sink)
        );
        assert_eq!(set("none"), PassSet::NONE);
        assert_eq!(set(&PassSet::all().to_string()), PassSet::all());
        let error = "fold,pele"
            .parse::<PassSet>()
            .expect_err("no such pass")
            .to_string();
        assert_eq!(
            error,
            "no pass is called `pele`; there are fold, cse, guards, heap, peel, sink, dce, regalloc"
        );
    }
}
