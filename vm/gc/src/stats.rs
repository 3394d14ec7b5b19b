//! What the collector counts.

/// One collection, as handed to `RootSource::finished`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// True for a full collection.
    pub full: bool,
    /// Wall time in nanoseconds.
    pub pause_ns: u64,
    /// Bytes of young objects that were copied.
    pub copied_bytes: usize,
    /// Bytes of objects that were marked in place.
    pub in_place_bytes: usize,
    /// Objects hit by ambiguous words or pinned roots.
    pub pinned: usize,
    /// Bytes in lines of the old generation, large objects included, afterwards.
    pub old_bytes: usize,
    /// Weak references or finalizable objects wait to be taken.
    pub pending: bool,
}

/// Totals since the heap was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    pub minor_collections: u64,
    pub full_collections: u64,
    /// Sum and maximum of pauses, wall time in nanoseconds.
    pub minor_ns: u64,
    pub minor_max_ns: u64,
    pub full_ns: u64,
    pub full_max_ns: u64,
    /// Bytes of windows and large objects handed out; off by at most a window.
    pub allocated_bytes: u64,
    pub copied_bytes: u64,
    pub in_place_bytes: u64,
    pub copied_objects: u64,
    /// Objects pinned by ambiguous words and pinned roots, summed over collections.
    pub pinned: u64,
    /// Slow paths of allocation.
    pub slow_paths: u64,
    /// Objects put into the remembered set; cards made dirty.
    pub remembered: u64,
    pub cards: u64,
    /// Minor collections that evacuated.
    pub evacuating: u64,
    /// Weak references cleared, finalizers queued, native drops run.
    pub weakrefs_cleared: u64,
    pub finalizers: u64,
    pub drops: u64,
    /// Bytes of old lines and large objects after the last collection.
    pub old_bytes: u64,
    /// Bytes of blocks in use, large objects and external memory now.
    pub used_bytes: u64,
    pub large_bytes: u64,
    pub external_bytes: u64,
    pub committed_bytes: u64,
    pub reserved_bytes: u64,
}

/// Objects of one kind, from [`crate::Heap::census`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    pub name: &'static str,
    pub objects: usize,
    pub bytes: usize,
}
