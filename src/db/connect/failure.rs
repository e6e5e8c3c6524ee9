//! Why a connection failed, in psql's words.
//!
//! tokio-postgres hides the kind of its errors. Only this module classifies them: by the inner
//! error or, if there is none, by the text. The integration tests check the texts, which may change
//! with a version.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use tokio_postgres::error::{DbError, SqlState};

use crate::db::conninfo::{Endpoint, Host};
use crate::db::tls;

/// One failed attempt.
#[derive(Debug)]
pub struct ConnectionFailure {
    /// The server, as `server at "db1" (10.0.0.1), port 5432` or `server on socket "…"`.
    server: String,
    /// Whether it is a socket, which decides the hint.
    is_socket: bool,
    /// What went wrong.
    pub reason: Reason,
}

impl ConnectionFailure {
    pub(super) fn new(endpoint: &Endpoint, address: Option<IpAddr>, reason: Reason) -> Self {
        Self {
            server: server(endpoint, address),
            is_socket: endpoint.socket().is_some(),
            reason,
        }
    }
}

fn server(endpoint: &Endpoint, address: Option<IpAddr>) -> String {
    if let Some(socket) = endpoint.socket() {
        return format!("server on socket \"{}\"", socket.display());
    }
    let port = endpoint.port;
    let name = match &endpoint.host {
        Host::Named { name, .. } => name.clone(),
        Host::Address(address) => address.to_string(),
        Host::Socket(directory) => directory.display().to_string(),
    };
    match address.map(|address| address.to_string()) {
        Some(address) if address != name => {
            format!("server at \"{name}\" ({address}), port {port}")
        }
        _ => format!("server at \"{name}\", port {port}"),
    }
}

impl fmt::Display for ConnectionFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "connection to {} failed: {}",
            self.server, self.reason
        )?;
        if let Reason::Unreachable(_) = self.reason {
            formatter.write_str(if self.is_socket {
                " — is the server running locally and accepting connections on that socket?"
            } else {
                " — is the server running on that host and accepting TCP/IP connections?"
            })?;
        }
        Ok(())
    }
}

impl Error for ConnectionFailure {}

/// What went wrong.
#[derive(Debug)]
pub enum Reason {
    /// The name has no address.
    HostName(io::Error),
    /// Nothing answers there.
    Unreachable(io::Error),
    /// `connect_timeout` has passed.
    Timeout,
    /// The server does not speak TLS, and the mode requires it.
    TlsNotOffered,
    /// TLS failed; most often the certificate.
    Tls(String),
    /// The server refused the connection.
    Server {
        /// Its message.
        error: Box<DbError>,
        /// The password file that has the refused password.
        password_file: Option<PathBuf>,
    },
    /// The server wants a password, and none is known.
    PasswordNeeded,
    /// The server wants a password, and there is no terminal to ask for it.
    PasswordUnavailable(io::Error),
    /// The session does not satisfy `target_session_attrs`.
    Session(&'static str),
    /// Another error while connecting.
    Protocol(String),
}

impl Reason {
    /// Classifies an error of tokio-postgres.
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return Self::Server {
                error: Box::new(error.clone()),
                password_file: None,
            };
        }
        if error.is_closed() {
            return Self::closed();
        }
        let source = error.source();
        if let Some(error) = source.and_then(tls_error) {
            return Self::Tls(tls::explain(error));
        }
        let inner = source.map(ToString::to_string).unwrap_or_default();
        match error.to_string().as_str() {
            "error connecting to server" => Self::unreachable(source, inner),
            "error performing TLS handshake" if inner == "server does not support TLS" => {
                Self::TlsNotOffered
            }
            "error performing TLS handshake" => Self::Tls(inner),
            "invalid configuration" if inner == "password missing" => Self::PasswordNeeded,
            "error communicating with the server" if is_end_of_stream(source) => Self::closed(),
            outer if inner.is_empty() => Self::Protocol(outer.to_owned()),
            outer => Self::Protocol(format!("{outer}: {inner}")),
        }
    }

    fn unreachable(source: Option<&(dyn Error + 'static)>, text: String) -> Self {
        match source.and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(error)
                if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() =>
            {
                Self::Timeout
            }
            Some(error) => Self::Unreachable(copy(error)),
            None => Self::Unreachable(io::Error::other(text)),
        }
    }

    fn closed() -> Self {
        Self::Protocol(
            "server closed the connection unexpectedly — this probably means the server terminated abnormally before or while \
             processing the request"
                .to_owned(),
        )
    }

    pub(super) fn with_password_file(mut self, file: Option<PathBuf>) -> Self {
        if let Self::Server {
            error,
            password_file,
        } = &mut self
            && *error.code() == SqlState::INVALID_PASSWORD
        {
            *password_file = file;
        }
        self
    }

    /// Whether `prefer` and `allow` try again the other way: TLS itself failed, or `pg_hba.conf`
    /// has no line for this kind of connection. Unlike in libpq, a refused password is not tried
    /// again, because the server would refuse it again.
    pub(super) fn depends_on_encryption(&self) -> bool {
        match self {
            Self::Tls(_) => true,
            Self::Server { error, .. } => {
                *error.code() == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
            }
            _ => false,
        }
    }

    /// Whether to skip the other servers: this one answered, and refused for a reason that the user
    /// must know. libpq tries the next server only if one cannot be reached, is starting up or
    /// shutting down, or has the wrong `target_session_attrs`.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::HostName(_) | Self::Unreachable(_) | Self::Timeout | Self::Session(_) => false,
            Self::Server { error, .. } => *error.code() != SqlState::CANNOT_CONNECT_NOW,
            Self::TlsNotOffered
            | Self::Tls(_)
            | Self::PasswordNeeded
            | Self::PasswordUnavailable(_)
            | Self::Protocol(_) => true,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostName(error) => write!(
                formatter,
                "could not translate host name to address: {}",
                plain(error)
            ),
            Self::Unreachable(error) => formatter.write_str(&plain(error)),
            Self::Timeout => formatter.write_str("timeout expired"),
            Self::TlsNotOffered => {
                formatter.write_str("server does not support SSL, but SSL was required")
            }
            Self::Tls(text) => write!(formatter, "SSL error: {text}"),
            Self::Server {
                error,
                password_file,
            } => {
                write_server_error(formatter, error)?;
                match password_file {
                    Some(file) => write!(
                        formatter,
                        "\npassword retrieved from file \"{}\"",
                        file.display()
                    ),
                    None => Ok(()),
                }
            }
            Self::PasswordNeeded => formatter.write_str("no password supplied"),
            Self::PasswordUnavailable(error) => write!(
                formatter,
                "no password supplied, and none can be asked for: {} (set PGPASSWORD or use a password file)",
                plain(error)
            ),
            Self::Session(text) => formatter.write_str(text),
            Self::Protocol(text) => formatter.write_str(text),
        }
    }
}

fn write_server_error(formatter: &mut fmt::Formatter<'_>, error: &DbError) -> fmt::Result {
    write!(formatter, "{}:  {}", error.severity(), error.message())?;
    if let Some(detail) = error.detail() {
        write!(formatter, "\nDETAIL:  {detail}")?;
    }
    if let Some(hint) = error.hint() {
        write!(formatter, "\nHINT:  {hint}")?;
    }
    Ok(())
}

/// rustls's error inside of the I/O error that tokio-rustls makes of it.
fn tls_error<'e>(source: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    source
        .downcast_ref::<io::Error>()?
        .get_ref()?
        .downcast_ref::<rustls::Error>()
}

fn is_end_of_stream(source: Option<&(dyn Error + 'static)>) -> bool {
    source
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
            )
        })
}

fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// The system's text without what Rust adds to it.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text);
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_as_psql_names_it() {
        let named = |name: &str| Host::Named {
            name: name.to_owned(),
            address: None,
        };
        let cases = [
            (
                named("db1"),
                Some("10.0.0.1"),
                "server at \"db1\" (10.0.0.1), port 5432",
            ),
            (
                named("10.0.0.1"),
                Some("10.0.0.1"),
                "server at \"10.0.0.1\", port 5432",
            ),
            (named("db1"), None, "server at \"db1\", port 5432"),
            (
                Host::Address(IpAddr::from([10, 0, 0, 1])),
                Some("10.0.0.1"),
                "server at \"10.0.0.1\", port 5432",
            ),
            (
                Host::Socket(PathBuf::from("/tmp")),
                None,
                "server on socket \"/tmp/.s.PGSQL.5432\"",
            ),
        ];
        for (host, address, expected) in cases {
            let endpoint = Endpoint {
                host,
                port: 5432,
                password: None,
            };
            assert_eq!(
                server(&endpoint, address.and_then(|address| address.parse().ok())),
                expected
            );
        }
    }

    #[test]
    fn advice_follows_what_cannot_be_reached() {
        let endpoint = Endpoint {
            host: Host::Socket(PathBuf::from("/tmp")),
            port: 5432,
            password: None,
        };
        let reason = Reason::Unreachable(io::Error::from_raw_os_error(2));
        assert_eq!(
            ConnectionFailure::new(&endpoint, None, reason).to_string(),
            "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory — is the server running \
             locally and accepting connections on that socket?"
        );
    }
}
