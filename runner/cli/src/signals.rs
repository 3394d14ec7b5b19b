//! SIGINT and SIGTERM end a run cleanly; a second one ends it at once.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signal that asked us to stop, if one did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Signals> {
        let signals = Signals::default();
        for signal in [SIGINT, SIGTERM] {
            let once = Arc::new(AtomicBool::new(false));
            // In this order: the first signal finds the flag unset and sets it.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&once),
            )?;
            signal_hook::flag::register(signal, once)?;
            signal_hook::flag::register_usize(
                signal,
                Arc::clone(&signals.number),
                signal as usize,
            )?;
        }
        Ok(signals)
    }

    /// Its number.
    pub(crate) fn asked(&self) -> Option<i32> {
        match self.number.load(Ordering::Relaxed) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }
}
