//! Where a connection parameter came from, so that a message can name the place to correct.
//!
//! An origin names a place and never a value: a value may be, or contain, a password.

use std::fmt;
use std::path::PathBuf;

/// The place a connection parameter was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command-line option, as it is typed: `-p`.
    Flag(&'static str),
    /// The `key=value …` string or the URI given as the database name.
    ConnectionString,
    /// A section of a connection service file.
    Service {
        /// The section's name.
        name: String,
        /// The file that has the section.
        file: PathBuf,
    },
    /// An environment variable.
    Variable(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "option {flag}"),
            Self::ConnectionString => formatter.write_str("the connection string"),
            Self::Service { name, file } => {
                write!(formatter, "service \"{name}\" of {}", file.display())
            }
            Self::Variable(name) => write!(formatter, "environment variable {name}"),
        }
    }
}
