//! What the collector knows of an object: a row of functions per kind.

use crate::Tracer;

/// Layout of one object kind. The embedder hands the heap a table of them; a header's
/// kind field is an index into it.
///
/// A trace function is called on objects whose payload may still be all zero words (just
/// allocated), and must not allocate or touch other objects than to pass their slots on.
#[derive(Clone, Copy)]
pub struct KindInfo {
    /// Name in statistics.
    pub name: &'static str,
    /// Size in bytes, header included, of an object whose header's size field is 0
    /// (65,536 granules or more). It must not change during the object's life.
    pub size: Option<unsafe fn(*const u64) -> usize>,
    /// Passes each reference slot of the object to [`Tracer::edge`]. `None`: no references.
    /// The slots must be words of the object: one may be updated after the call.
    /// A weak reference object must not pass its payload word 0.
    pub trace: Option<unsafe fn(*mut u64, &mut Tracer)>,
    /// The same for the slots whose address lies in `lo..hi`; with it, an object of 1 KiB
    /// and more is remembered by cards of 256 bytes and not as a whole.
    pub trace_range: Option<unsafe fn(*mut u64, *mut u64, *mut u64, &mut Tracer)>,
    /// Releases what a dead object owns outside the heap (descriptor, buffer) and returns
    /// how many of the bytes reported by `external_bytes` went with it. It may look at the
    /// object's own words only. Called for objects passed to `register_drop`.
    pub drop: Option<unsafe fn(*mut u64) -> usize>,
}

impl KindInfo {
    /// A kind without references.
    pub const fn leaf(name: &'static str) -> KindInfo {
        KindInfo {
            name,
            size: None,
            trace: None,
            trace_range: None,
            drop: None,
        }
    }

    /// A kind with references.
    pub const fn traced(name: &'static str, trace: unsafe fn(*mut u64, &mut Tracer)) -> KindInfo {
        KindInfo {
            trace: Some(trace),
            ..KindInfo::leaf(name)
        }
    }
}
