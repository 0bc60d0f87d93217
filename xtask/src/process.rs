//! Child processes that never outlive this one.
//!
//! Each child leads a process group of its own: a Ctrl-C in the terminal reaches this program alone, which
//! then ends the groups in the right order.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    interrupt::{Interrupt, POLL},
};

/// How long a child may take to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running child and its descendants; dropping it ends them all.
pub(crate) struct Group {
    child: Child,
    farewell: &'static str,
}

impl Group {
    /// Starts `command`; `farewell` is the signal that makes it end in good order.
    pub(crate) fn spawn(command: &mut Command, farewell: &'static str) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", command.get_program().display()))?;
        Ok(Group { child, farewell })
    }

    /// The child's standard output, if it was piped and not taken yet.
    pub(crate) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// How the child ended; `None` while it runs.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the child, but not longer than until the process is asked to end.
    pub(crate) fn wait(&mut self, interrupt: &Interrupt) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            interrupt.check()?;
            thread::sleep(POLL);
        }
    }

    fn signal(&self, name: &str) {
        // Through the shell: `kill` is built into it, and a bare machine may lack the program. It fails when
        // nobody is left, which is as well.
        let _ = Command::new("sh")
            .args(["-c", "kill -s \"$1\" -- \"-$2\"", "sh", name, &self.child.id().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(None) = self.try_wait() {
            self.signal(self.farewell);
            let started = Instant::now();
            while matches!(self.try_wait(), Ok(None)) && started.elapsed() < PATIENCE {
                thread::sleep(POLL);
            }
        }
        // Descendants that the child left behind, stopped ones too.
        self.signal("KILL");
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end.
pub(crate) fn run(command: &mut Command, interrupt: &Interrupt) -> Result<ExitStatus> {
    Group::spawn(command, "TERM")?.wait(interrupt)
}
