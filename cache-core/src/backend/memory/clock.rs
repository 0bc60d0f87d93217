//! The clock of a memory store.

use std::time::Instant;

use crate::slot::Millis;

/// Milliseconds since the store was created. Never goes back.
pub(super) enum Clock {
    System(Instant),
    #[cfg(any(test, feature = "testing"))]
    Manual(crate::testing::ManualClock),
}

impl Clock {
    pub(super) fn system() -> Self {
        Clock::System(Instant::now())
    }

    pub(super) fn now(&self) -> Millis {
        match self {
            Clock::System(start) => start.elapsed().as_millis().try_into().unwrap_or(Millis::MAX),
            #[cfg(any(test, feature = "testing"))]
            Clock::Manual(clock) => clock.now(),
        }
    }
}
