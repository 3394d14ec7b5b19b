//! Source ranges of instructions.

use pyrite_bytecode::Pos;
use pyrite_front::Source;
use ruff_text_size::{Ranged, TextRange};

/// Byte range that an instruction stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loc {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Loc {
    /// No place in the source.
    pub(crate) const NONE: Loc = Loc {
        start: u32::MAX,
        end: u32::MAX,
    };

    pub(crate) fn of(node: &impl Ranged) -> Loc {
        let r: TextRange = node.range();
        Loc {
            start: r.start().to_u32(),
            end: r.end().to_u32(),
        }
    }

    pub(crate) fn pos(self, source: &Source<'_>) -> Pos {
        if self == Loc::NONE {
            return Pos::default();
        }
        let (line, col) = source.position(self.start as usize);
        let (end_line, end_col) = source.position(self.end as usize);
        Pos {
            line,
            end_line,
            col: col.min(u32::from(u16::MAX)) as u16,
            end_col: end_col.min(u32::from(u16::MAX)) as u16,
        }
    }
}

impl Default for Loc {
    fn default() -> Loc {
        Loc::NONE
    }
}
