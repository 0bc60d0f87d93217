//! The clock of what is kept in this process.

use std::time::Instant;

use crate::slot::Millis;

/// Milliseconds since it was made. Never goes back.
#[derive(Debug)]
pub enum Clock {
    /// That of the machine, from this instant.
    System(Instant),
    /// One that a test moves.
    #[cfg(any(test, feature = "testing"))]
    Manual(crate::testing::ManualClock),
}

impl Clock {
    /// The machine's clock, from now on.
    pub fn system() -> Self {
        Clock::System(Instant::now())
    }

    /// The time.
    pub fn now(&self) -> Millis {
        match self {
            Clock::System(start) => start.elapsed().as_millis().try_into().unwrap_or(Millis::MAX),
            #[cfg(any(test, feature = "testing"))]
            Clock::Manual(clock) => clock.now(),
        }
    }
}
