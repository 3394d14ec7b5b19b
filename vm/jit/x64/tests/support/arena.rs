//! Memory that machine code and oracle share: VM state, VM stack, objects, allocation window.
//!
//! It stays at one address, so that words with addresses compare equal between runs.

use std::alloc::{Layout as MemoryLayout, alloc_zeroed, dealloc};

use pyrite_jit_ir::word;

pub(crate) const WORDS: usize = 4096;

// Words of the VM state.
pub(crate) const CUR: usize = 0;
pub(crate) const LIM: usize = 1;
pub(crate) const TOP: usize = 2;
pub(crate) const ACTIVATION: usize = 3;
pub(crate) const POLL: usize = 4;
pub(crate) const HOST: usize = 5;
pub(crate) const RESULT: usize = 6;
/// First of eight fields that `ld_vm` and `st_vm` may touch.
pub(crate) const FIELDS: usize = 8;

/// Slot 0 of the trace's window; there are headers below it.
pub(crate) const WINDOW: usize = 64;
/// Slots that may be used from slot 0 on.
pub(crate) const EXTENT: i32 = 32;
/// Fixed objects of eight words each.
pub(crate) const OBJECTS: usize = 128;
pub(crate) const OBJECT_WORDS: usize = 8;
pub(crate) const OBJECT_COUNT: usize = 8;
/// New objects.
pub(crate) const HEAP: usize = 512;
/// The window grows by this many bytes when it is too small.
pub(crate) const WINDOW_STEP: u64 = 64;

pub(crate) struct Arena {
    base: *mut u64,
}

fn memory_layout() -> MemoryLayout {
    MemoryLayout::from_size_align(WORDS * 8, 4096).expect("a valid layout")
}

impl Arena {
    pub(crate) fn new() -> Self {
        // SAFETY: the layout is not empty.
        let base = unsafe { alloc_zeroed(memory_layout()) };
        assert!(!base.is_null(), "memory for a test can be had");
        Self { base: base.cast() }
    }

    /// Everything as at the start: eight objects, integers in the slots, an empty window.
    pub(crate) fn reset(&mut self) {
        for i in 0..WORDS {
            self.set(i, 0);
        }
        self.set(CUR, self.addr(HEAP));
        self.set(LIM, self.addr(HEAP));
        for i in 0..8 {
            self.set(FIELDS + i, word::box_int(i as i64 * 100).expect("small"));
        }
        for slot in -8..EXTENT {
            self.set_slot(slot, word::box_int(i64::from(slot)).expect("small"));
        }
        for k in 0..OBJECT_COUNT {
            let at = OBJECTS + k * OBJECT_WORDS;
            self.set(at, (k as u64 + 1) << 32 | (k as u64 % 2) << 1);
            for i in 1..OBJECT_WORDS {
                self.set(at + i, word::box_int((k * 10 + i) as i64).expect("small"));
            }
        }
    }

    pub(crate) fn addr(&self, index: usize) -> u64 {
        self.base as u64 + 8 * index as u64
    }

    pub(crate) fn object(&self, k: usize) -> u64 {
        self.addr(OBJECTS + k * OBJECT_WORDS)
    }

    pub(crate) fn get(&self, index: usize) -> u64 {
        assert!(index < WORDS, "word {index} lies in the arena");
        // SAFETY: in bounds of the allocation.
        unsafe { self.base.add(index).read() }
    }

    pub(crate) fn set(&mut self, index: usize, word: u64) {
        assert!(index < WORDS, "word {index} lies in the arena");
        // SAFETY: in bounds of the allocation.
        unsafe { self.base.add(index).write(word) }
    }

    pub(crate) fn slot(&self, slot: i32) -> u64 {
        self.get((WINDOW as i32 + slot) as usize)
    }

    pub(crate) fn set_slot(&mut self, slot: i32, word: u64) {
        self.set((WINDOW as i32 + slot) as usize, word);
    }

    /// Bytes at an address inside the arena.
    pub(crate) fn load(&self, addr: u64, bytes: i32) -> u64 {
        let offset = addr.wrapping_sub(self.base as u64);
        let word = self.get((offset / 8) as usize) >> (8 * (offset % 8));
        if bytes == 8 {
            word
        } else {
            word & ((1 << (8 * bytes)) - 1)
        }
    }

    pub(crate) fn store(&mut self, addr: u64, bytes: i32, value: u64) {
        let offset = addr.wrapping_sub(self.base as u64);
        let (index, shift) = ((offset / 8) as usize, 8 * (offset % 8));
        let mask = if bytes == 8 {
            u64::MAX
        } else {
            ((1 << (8 * bytes)) - 1) << shift
        };
        self.set(index, self.get(index) & !mask | (value << shift) & mask);
    }

    /// Makes room in the allocation window, as the slow path of a trace does.
    pub(crate) fn make_room(&mut self, bytes: u64) {
        let need = self.get(CUR) + bytes;
        let mut lim = self.get(LIM);
        while lim < need {
            lim += WINDOW_STEP;
        }
        assert!(lim <= self.addr(WORDS), "a test allocates little");
        self.set(LIM, lim);
    }

    /// Takes an object from the window, zero but for its header.
    pub(crate) fn allocate(&mut self, words: u32, header: u64) -> u64 {
        let bytes = (u64::from(words) * 8).next_multiple_of(16);
        self.make_room(bytes);
        let object = self.get(CUR);
        self.set(CUR, object + bytes);
        for i in 0..u64::from(words) {
            self.store(object + 8 * i, 8, 0);
        }
        self.store(object, 8, header);
        object
    }

    /// All words but those that only machine code writes.
    pub(crate) fn contents(&self) -> Vec<u64> {
        (0..WORDS)
            .map(|i| {
                if matches!(i, TOP | ACTIVATION | HOST) {
                    0
                } else {
                    self.get(i)
                }
            })
            .collect()
    }

    pub(crate) fn restore(&mut self, contents: &[u64]) {
        for (i, &word) in contents.iter().enumerate() {
            self.set(i, word);
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.base.cast(), memory_layout()) }
    }
}
