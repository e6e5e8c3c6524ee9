//! Why the options, the environment and the files do not make a connection.
//!
//! No variant contains the refused text, because it may contain a password (a URI whose password
//! has an unescaped `/` reads as a host and a port). Variants name keywords, files and line
//! numbers, not values.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::origin::Origin;

/// The connection parameters cannot be resolved.
#[derive(Debug, Error)]
pub enum ConninfoError {
    /// The connection string cannot be read at all.
    #[error("invalid connection string: {0}")]
    Syntax(#[from] SyntaxError),
    /// A keyword libpq does not have either.
    #[error("invalid connection option \"{keyword}\" in {origin}")]
    UnknownKeyword {
        /// The keyword.
        keyword: String,
        /// Where it stands.
        origin: Origin,
    },
    /// A keyword of libpq whose effect we do not support and must not ignore.
    #[error("connection option \"{keyword}\" in {origin} is not supported: {because}")]
    UnsupportedKeyword {
        /// The keyword.
        keyword: &'static str,
        /// Where it stands.
        origin: Origin,
        /// What is not supported.
        because: &'static str,
    },
    /// A value that the keyword does not accept.
    #[error("invalid value for connection option \"{keyword}\" in {origin}: expected {expected}")]
    InvalidValue {
        /// The keyword.
        keyword: &'static str,
        /// Where it stands.
        origin: Origin,
        /// The accepted values.
        expected: &'static str,
    },
    /// The number of ports (or addresses) differs from the number of hosts.
    #[error("could not match {count} {keyword} values to {hosts} hosts")]
    CountMismatch {
        /// `port` or `host`.
        keyword: &'static str,
        /// How many were given.
        count: usize,
        /// How many hosts there are.
        hosts: usize,
    },
    /// Neither given nor known from the operating system.
    #[error("no database user name is known: give one with -U or PGUSER")]
    NoUserName,
    /// `PGSERVICEFILE` names a file that does not exist.
    #[error("service file \"{}\" not found", file.display())]
    ServiceFileMissing {
        /// The file.
        file: PathBuf,
    },
    /// A service file exists and cannot be read.
    #[error("could not read service file \"{}\": {source}", file.display())]
    ServiceFileUnreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A line of a service file is wrong.
    #[error("syntax error in service file \"{}\", line {line}: {problem}", file.display())]
    ServiceFileSyntax {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: ServiceLineProblem,
    },
    /// No service file has the section.
    #[error(
        "definition of service \"{name}\" not found (looked in {})",
        list(searched)
    )]
    ServiceNotFound {
        /// The service.
        name: String,
        /// The files that were looked for.
        searched: Vec<PathBuf>,
    },
    /// `verify-ca` and `verify-full` need a root certificate.
    #[error(
        "root certificate file{} does not exist, and sslmode=\"{sslmode}\" needs it to verify the server certificate: \
         provide the file, use the system's trusted roots with sslrootcert=system, or choose an sslmode that does not verify",
        quoted(file.as_ref())
    )]
    RootCertificateMissing {
        /// The mode.
        sslmode: &'static str,
        /// Where the file was expected; none if there is no home directory.
        file: Option<PathBuf>,
    },
    /// The system's roots sign certificates for any host, so they need the check of the host name.
    #[error(
        "weak sslmode \"{sslmode}\" may not be used with sslrootcert=system (use \"verify-full\")"
    )]
    WeakModeWithSystemRoots {
        /// The mode.
        sslmode: &'static str,
    },
    /// Direct negotiation cannot fall back to an unencrypted connection.
    #[error(
        "weak sslmode \"{sslmode}\" may not be used with sslnegotiation=direct (use \"require\", \"verify-ca\", or \"verify-full\")"
    )]
    WeakModeWithDirectNegotiation {
        /// The mode.
        sslmode: &'static str,
    },
    /// `verify-full` compares the certificate with a host name.
    #[error(
        "host name must be specified for a verified SSL connection (sslmode=\"verify-full\" and hostaddr without host)"
    )]
    HostNameMissing,
    /// A client certificate is useless without its key.
    #[error("certificate present, but not private key file \"{}\"", key.display())]
    ClientKeyMissing {
        /// Where the key was expected.
        key: PathBuf,
    },
}

/// Why a connection string cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SyntaxError {
    /// A word without a value.
    #[error("missing \"=\" after word {word} (a value that contains spaces must be quoted with ')")]
    MissingEquals {
        /// Which word, counted from 1.
        word: usize,
    },
    /// A word after a password that is no keyword: it may be a part of the password or a mistyped
    /// keyword.
    #[error(
        "no connection option follows \"{keyword}\" (a value that contains spaces must be quoted with ')"
    )]
    NoKeywordAfterSecret {
        /// The keyword before.
        keyword: &'static str,
    },
    /// An unterminated `'`.
    #[error("unterminated quoted string")]
    UnterminatedQuote,
    /// A URI with another scheme.
    #[error("the URI must start with postgresql:// or postgres://")]
    UnknownScheme,
    /// A `%` that is not followed by two hexadecimal digits, or that stands for NUL.
    #[error("invalid percent-encoding in the {part} of the URI")]
    PercentEncoding {
        /// The part of the URI.
        part: &'static str,
    },
    /// `[::1` without `]`, `[]`, or something else than `:`, `/`, `?`, `,` behind it.
    #[error(
        "malformed IPv6 address in the URI: it must stand in brackets, and a port, path, query or comma can follow"
    )]
    Ipv6Address,
    /// More `@`s than a URI can have.
    #[error(
        "unexpected \"@\" in the URI: if the password contains \"/\" or \"@\", write %2F or %40 instead"
    )]
    UnexpectedAt,
    /// `?key` without a value.
    #[error("missing \"=\" in parameter {position} of the URI's query")]
    QueryMissingEquals {
        /// Counted from 1.
        position: usize,
    },
    /// `?key=a=b`.
    #[error("extra \"=\" in parameter {position} of the URI's query")]
    QueryExtraEquals {
        /// Counted from 1.
        position: usize,
    },
}

/// What can be wrong with a line of a service file.
#[derive(Debug, Error)]
pub enum ServiceLineProblem {
    /// Neither section, comment nor assignment.
    #[error("missing \"=\"")]
    MissingEquals,
    /// A service cannot refer to another one.
    #[error("nested service specifications are not supported")]
    Nested,
    /// `ldap://…`
    #[error("LDAP lookups are not supported")]
    Ldap,
    /// The keyword is not one of libpq's, or its value is refused.
    #[error("{0}")]
    Parameter(Box<ConninfoError>),
}

/// Something that was skipped, although the user may rely on it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Warning {
    /// Other users can read the passwords, so libpq does not use the file.
    #[error("password file \"{}\" has group or world access; permissions should be u=rw (0600) or less", .0.display())]
    PasswordFileReadableByOthers(PathBuf),
    /// A directory, a device, …
    #[error("password file \"{}\" is not a plain file", .0.display())]
    PasswordFileNotPlain(PathBuf),
    /// It exists and cannot be read.
    #[error("could not read password file \"{}\": {reason}", file.display())]
    PasswordFileUnreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// `sslrootcert` names a file that does not exist, and the mode does not require it: the server
    /// is not verified.
    #[error("root certificate file \"{}\" does not exist: the server certificate is not verified", .0.display())]
    RootCertificateMissing(PathBuf),
    /// `sslcert` was given and does not exist: no client certificate is sent.
    #[error("certificate file \"{}\" does not exist: no client certificate is sent", .0.display())]
    ClientCertificateMissing(PathBuf),
}

fn list(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return "no file: no home directory is known".to_owned();
    }
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    names.join(", ")
}

fn quoted(file: Option<&PathBuf>) -> String {
    file.map(|file| format!(" \"{}\"", file.display()))
        .unwrap_or_default()
}
