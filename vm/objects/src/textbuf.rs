//! A text under construction: bytes while all code points are below U+0100,
//! code points from the first larger one on.

use crate::text::Text;
use crate::vm::Vm;
use pyrite_machine::Value;

/// See the module's documentation.
#[derive(Default)]
pub struct TextBuf {
    narrow: Vec<u8>,
    wide: Vec<u32>,
    is_wide: bool,
}

impl TextBuf {
    /// An empty text.
    pub fn new() -> TextBuf {
        TextBuf::default()
    }

    /// Code points so far.
    pub fn len(&self) -> usize {
        self.narrow.len().max(self.wide.len())
    }

    /// True while nothing was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn widen(&mut self) {
        self.wide = self.narrow.iter().map(|&c| c.into()).collect();
        self.narrow = Vec::new();
        self.is_wide = true;
    }

    /// Adds a code point.
    #[inline]
    pub fn push(&mut self, c: u32) {
        if !self.is_wide {
            if c < 0x100 {
                self.narrow.push(c as u8);
                return;
            }
            self.widen();
        }
        self.wide.push(c);
    }

    /// Adds `n` times the same code point.
    pub fn fill(&mut self, c: u32, n: usize) {
        for _ in 0..n {
            self.push(c);
        }
    }

    /// Adds a text.
    pub fn push_text(&mut self, t: Text<'_>) {
        match t {
            Text::One(b) if !self.is_wide => self.narrow.extend_from_slice(b),
            Text::Four(p) if self.is_wide => self.wide.extend_from_slice(p),
            t => t.iter().for_each(|c| self.push(c)),
        }
    }

    /// Adds Rust text.
    pub fn push_str(&mut self, s: &str) {
        if !self.is_wide && s.is_ascii() {
            self.narrow.extend_from_slice(s.as_bytes());
        } else {
            s.chars().for_each(|c| self.push(c as u32));
        }
    }

    /// The text as it stands.
    pub fn text(&self) -> Text<'_> {
        if self.is_wide {
            Text::Four(&self.wide)
        } else {
            Text::One(&self.narrow)
        }
    }

    /// A `str` of it.
    pub fn finish(&self, vm: &mut Vm) -> Value {
        vm.new_str_text(self.text())
    }

    /// The low bytes of the code points, for texts that stand for bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.is_wide {
            self.wide.iter().map(|&c| c as u8).collect()
        } else {
            self.narrow
        }
    }
}
