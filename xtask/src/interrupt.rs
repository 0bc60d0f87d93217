//! Ctrl-C and its relatives: noted, not obeyed at once, so that servers are stopped and folders removed.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long a signal can go unnoticed.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// Remembers that the process was asked to end.
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// The process was asked to end.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl Interrupt {
    /// From here on SIGINT, SIGTERM and SIGHUP no longer end the process.
    pub(crate) fn install() -> io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Interrupt(flag))
    }

    /// # Errors
    /// [`Interrupted`] once the process was asked to end.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// Returns when the process is asked to end.
    pub(crate) fn wait(&self) {
        while self.check().is_ok() {
            thread::sleep(POLL);
        }
    }
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}
