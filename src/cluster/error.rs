//! Why there is no throwaway server.

use std::io;
use std::path::PathBuf;

use super::locale::LocaleError;

/// Why there is no throwaway server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No directory for it.
    #[error(
        "could not create a directory for the throwaway server in {}: {error}: set TMPDIR to a directory that you can write to",
        place.display()
    )]
    Directory {
        /// Where: the directory for temporary files.
        place: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The user that the server must run as cannot enter the directory.
    #[error(
        "the user {user}, who runs the throwaway server, cannot write to {}: set TMPDIR to a directory whose parents \
         every user can enter",
        directory.display()
    )]
    Closed {
        /// That user.
        user: String,
        /// The directory made for it.
        directory: PathBuf,
    },
    /// We run as root, and there is no other user to run the server as (PostgreSQL refuses to run
    /// as root).
    #[error(
        "PostgreSQL does not run as root, and there is neither a user \"postgres\" nor \"nobody\" to run the throwaway \
         server as"
    )]
    NoUser,
    /// A program could not be started.
    #[error("could not run {program}: {error}")]
    Run {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The locale is not available here; the server would start with
    /// [`ClusterLocale::default`](super::ClusterLocale).
    #[error(transparent)]
    Locale(#[from] LocaleError),
    /// initdb or the server failed; the text contains its message.
    #[error("{what} failed:\n{log}")]
    Failed {
        /// What was being done.
        what: &'static str,
        /// The end of its output.
        log: String,
    },
    /// It was not ready in time.
    #[error("the throwaway server was not ready after {seconds} s; the end of its log:\n{log}")]
    Slow {
        /// How long we waited.
        seconds: u64,
        /// The end of its output.
        log: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}
