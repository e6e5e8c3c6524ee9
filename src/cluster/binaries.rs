//! Where PostgreSQL's server programs are: found by the same script that `make` uses, so that there is one list of places.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Finds a server installation (14–18) or installs one with the system's package manager.
const SCRIPT: &str = include_str!("../../scripts/ensure-postgres.sh");

/// A directory with `initdb` and `postgres` of a supported version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The directory.
    pub directory: PathBuf,
}

/// What may be done when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// Install it with the system's package manager; every command is announced.
    Install,
    /// Only say what to install.
    Explain,
}

/// There are no server programs.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    /// The script could not be run.
    #[error("could not look for PostgreSQL's server programs: {0}")]
    Script(#[from] std::io::Error),
    /// Not there; what to do has been said on standard error.
    #[error("no PostgreSQL server (14 to 18) is installed; see above for what to install")]
    Missing,
}

impl Binaries {
    /// Looks for the server programs.
    ///
    /// # Errors
    /// When there are none, and none could be installed.
    pub fn find(when_missing: WhenMissing) -> Result<Binaries, BinariesError> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-s").arg("--");
        if when_missing == WhenMissing::Explain {
            shell.arg("--check");
        }
        let mut running = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        if let Some(mut input) = running.stdin.take() {
            input.write_all(SCRIPT.as_bytes())?;
        }
        let output = running.wait_with_output()?;
        let directory = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !directory.is_empty() {
            Ok(Binaries { directory: directory.into() })
        } else {
            Err(BinariesError::Missing)
        }
    }
}
