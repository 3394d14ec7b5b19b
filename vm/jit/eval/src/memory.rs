//! Abstract memory: a map of objects by address, without real pointers.

use std::collections::BTreeMap;

use pyrite_jit_ir::Width;

use crate::EvalError;

/// Content of words that were never written; reading it is an error.
const UNWRITTEN: u64 = 0xDEAD_0BAD_DEAD_0BAD;
/// Address of the first allocation.
const FIRST: u64 = 0x1000_0000;

/// Objects by address. Addresses are multiples of 16 and never used twice.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    objects: BTreeMap<u64, Vec<u64>>,
    next: u64,
}

impl Memory {
    /// A new object of `words` words, header included; the others are unwritten.
    pub fn alloc(&mut self, words: u32, header: u64) -> u64 {
        let address = FIRST + self.next;
        self.next += u64::from(words).div_ceil(2) * 16;
        self.place(address, words, header);
        address
    }

    /// Puts an object at a chosen address.
    pub fn place(&mut self, address: u64, words: u32, header: u64) {
        let mut contents = vec![UNWRITTEN; words as usize];
        contents[0] = header;
        self.objects.insert(address, contents);
    }

    /// The words of the object at `address`, header first.
    #[must_use]
    pub fn object(&self, address: u64) -> Option<&[u64]> {
        self.objects.get(&address).map(Vec::as_slice)
    }

    /// Shape id of the object at `address`; 0 if there is none.
    #[must_use]
    pub fn shape(&self, address: u64) -> u32 {
        self.object(address)
            .map_or(0, |words| (words[0] >> 32) as u32)
    }

    /// Number of objects made or placed so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Is there no object?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Reads `width` bytes, zero-extended.
    ///
    /// # Errors
    /// No object there, or never written.
    pub fn read(&self, address: u64, width: Width) -> Result<u64, EvalError> {
        let (base, word) = self.find(address).ok_or(EvalError::BadAddress(address))?;
        let content = self.objects[&base][word];
        if content == UNWRITTEN {
            return Err(EvalError::Unwritten(address));
        }
        Ok(content >> (address % 8 * 8) & mask(width))
    }

    /// Writes the low `width` bytes of `value`.
    ///
    /// # Errors
    /// No object there.
    pub fn write(&mut self, address: u64, width: Width, value: u64) -> Result<(), EvalError> {
        let (base, word) = self.find(address).ok_or(EvalError::BadAddress(address))?;
        let content = &mut self
            .objects
            .get_mut(&base)
            .ok_or(EvalError::BadAddress(address))?[word];
        let shift = address % 8 * 8;
        let old = if *content == UNWRITTEN { 0 } else { *content };
        *content = old & !(mask(width) << shift) | (value & mask(width)) << shift;
        Ok(())
    }

    fn find(&self, address: u64) -> Option<(u64, usize)> {
        let (&base, contents) = self.objects.range(..=address).next_back()?;
        let word = ((address - base) / 8) as usize;
        (word < contents.len()).then_some((base, word))
    }
}

fn mask(width: Width) -> u64 {
    match width {
        Width::Val | Width::I64 => u64::MAX,
        _ => (1 << (width.bytes() * 8)) - 1,
    }
}
