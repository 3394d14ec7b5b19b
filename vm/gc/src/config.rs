//! Parameters of a heap, and what may go wrong when one is made.

/// When to evacuate young survivors, and when to leave them where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evacuate {
    /// By the survival rate of the last collection (the default).
    #[default]
    Adaptive,
    /// Whatever is not pinned moves, in full collections too.
    Always,
    /// Nothing moves.
    Never,
}

/// Switches that make rare things happen all the time. The default is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stress {
    /// Collect at every n-th allocation slow path; 0: only when the budget is spent.
    pub every: u32,
    /// Of the collections forced by `every`, make each n-th a full one; 0: none.
    pub full_every: u32,
    /// Hand out windows just large enough, so that each allocation takes the slow path.
    pub tiny_windows: bool,
    /// Fill free lines and evacuated objects with [`crate::POISON`] and check that no
    /// reference holds it.
    pub poison: bool,
    /// Verify the whole heap before and after each collection.
    pub verify: bool,
    /// Collect before each object that is made where compiled code is left; up to who
    /// makes them (see [`crate::Heap::collects_in_exits`]).
    pub exits: bool,
}

/// Parameters of a heap.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Bytes in use (blocks, large objects and external bytes) past which an allocation
    /// fails, after a full collection did not help.
    pub max_bytes: usize,
    /// Bytes allocated between two minor collections.
    pub young_bytes: usize,
    /// A full collection is due when the old generation exceeds this and twice what the
    /// last full collection left.
    pub full_floor_bytes: usize,
    /// Address space to reserve; halved until it fits.
    pub reserve_bytes: usize,
    /// Address space to reserve below 4 GiB for [`crate::Heap::low_alloc`]; halved until
    /// it fits.
    pub low_bytes: usize,
    /// Whether survivors move.
    pub evacuate: Evacuate,
    /// Stress switches.
    pub stress: Stress,
}

impl Config {
    /// This configuration under a stress word of the command line: a number `n` collects at
    /// every n-th slow path with windows as small as possible (1: at every allocation),
    /// `move` collects often and moves all that is not pinned, `exits` collects where
    /// compiled code is left. All poison dead memory and verify the heap. `None` for other
    /// words.
    pub fn with_stress(self, word: &str) -> Option<Config> {
        let checked = Stress {
            poison: true,
            verify: true,
            ..Stress::default()
        };
        if word == "move" {
            return Some(Config {
                young_bytes: self.young_bytes.min(64 << 10),
                evacuate: Evacuate::Always,
                stress: Stress {
                    every: 16,
                    full_every: 8,
                    ..checked
                },
                ..self
            });
        }
        if word == "exits" {
            let stress = Stress {
                exits: true,
                ..checked
            };
            return Some(Config { stress, ..self });
        }
        let every = word.parse().ok().filter(|&n| n > 0)?;
        Some(Config {
            stress: Stress {
                every,
                full_every: 16,
                tiny_windows: true,
                ..checked
            },
            ..self
        })
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_bytes: usize::MAX,
            young_bytes: 4 << 20,
            full_floor_bytes: 32 << 20,
            reserve_bytes: 64 << 30,
            low_bytes: 256 << 20,
            evacuate: Evacuate::Adaptive,
            stress: Stress::default(),
        }
    }
}

/// Why a heap could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GcError {
    /// The kind table has more rows than a header's kind field can name.
    #[error("{0} object kinds, but a header can name only 256")]
    TooManyKinds(usize),
    /// Not even the smallest reservation fits into the address space.
    #[error("cannot reserve {bytes} bytes of address space for the heap")]
    Reserve {
        bytes: usize,
        #[source]
        source: std::io::Error,
    },
    /// No free range below 4 GiB.
    #[error("cannot reserve {bytes} bytes below 4 GiB for shapes")]
    ReserveLow { bytes: usize },
    /// The calling thread's stack bounds are unknown.
    #[error("cannot find the bounds of the native stack")]
    StackBounds(#[source] std::io::Error),
}
