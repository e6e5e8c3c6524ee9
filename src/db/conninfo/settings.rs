//! A resolved connection: everything `connect` needs, except the addresses of host names.
//!
//! Passwords are kept in [`Secret`], whose `Debug` shows nothing, so that `Settings` can be logged.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::ChannelBinding;

use super::error::Warning;
use crate::db::tls::TlsSettings;

/// The application name the server sees.
pub const APPLICATION_NAME: &str = "pgrehearse";

/// A resolved connection.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The servers, in the order in which they are tried; never empty.
    pub endpoints: Vec<Endpoint>,
    /// The database user.
    pub user: String,
    /// The database.
    pub dbname: String,
    /// Server options of the session, as in `PGOPTIONS`.
    pub options: Option<String>,
    /// How long one attempt may take; none means no limit.
    pub connect_timeout: Option<Duration>,
    /// Whether TLS is used.
    pub sslmode: SslMode,
    /// How TLS is used where it is.
    pub tls: TlsSettings,
    /// Whether SCRAM authentication is bound to the TLS connection.
    pub channel_binding: ChannelBinding,
    /// Which kinds of session are accepted.
    pub target_session_attrs: TargetSessionAttrs,
    /// Options of TCP sockets.
    pub tcp: TcpSettings,
    /// When to ask the user for a password.
    pub password_prompt: PasswordPrompt,
    /// What was skipped while resolving.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for Settings {
    /// `user@host:port/dbname`, with all hosts, and no password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        write!(
            formatter,
            "{}@{}/{}",
            self.user,
            endpoints.join(","),
            self.dbname
        )
    }
}

/// One server, and the password for it: the password file may have a different one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub host: Host,
    /// Its port; also part of a socket's name.
    pub port: u16,
    /// The password, as far as known without asking.
    pub password: Option<Password>,
}

impl Endpoint {
    /// The socket's path, if this is a Unix-domain socket.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        match &self.host {
            Host::Socket(directory) => Some(directory.join(format!(".s.PGSQL.{}", self.port))),
            Host::Named { .. } | Host::Address(_) => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Socket(directory) => write!(formatter, "{}:{}", directory.display(), self.port),
            Host::Named { name, .. } if name.contains(':') => {
                write!(formatter, "[{name}]:{}", self.port)
            }
            Host::Named { name, .. } => write!(formatter, "{name}:{}", self.port),
            Host::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]:{}", self.port),
            Host::Address(IpAddr::V4(address)) => write!(formatter, "{address}:{}", self.port),
        }
    }
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// The directory of a Unix-domain socket.
    Socket(PathBuf),
    /// `host`, which may be an address as well; with `hostaddr` the name is not looked up but still
    /// verified by TLS.
    Named {
        /// `host`.
        name: String,
        /// `hostaddr`.
        address: Option<IpAddr>,
    },
    /// `hostaddr` without `host`.
    Address(IpAddr),
}

/// A password, and the file it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// The password.
    pub secret: Secret,
    /// The password file that has it, to name it if the server refuses the password.
    pub file: Option<PathBuf>,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to be sent to the server.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<secret>")
    }
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only if the server does not take the connection without.
    Allow,
    /// No TLS only if the server does not take the connection with it.
    Prefer,
    /// TLS.
    Require,
    /// TLS, with a certificate of a trusted authority.
    VerifyCa,
    /// TLS, with a certificate of a trusted authority for this host.
    VerifyFull,
}

impl SslMode {
    const ALL: [Self; 6] = [
        Self::Disable,
        Self::Allow,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    /// The mode as libpq writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// Reads the name of a mode.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetSessionAttrs {
    /// Any session.
    Any,
    /// Transactions can write.
    ReadWrite,
    /// Transactions cannot write.
    ReadOnly,
    /// The server is not in recovery.
    Primary,
    /// The server is in recovery.
    Standby,
    /// A server in recovery if any of the servers is, else any.
    PreferStandby,
}

/// Options of TCP sockets; none means the system's, or tokio-postgres's, default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpSettings {
    /// Whether dead connections are detected.
    pub keepalives: bool,
    /// `keepalives_idle`.
    pub idle: Option<Duration>,
    /// `keepalives_interval`.
    pub interval: Option<Duration>,
    /// `keepalives_count`.
    pub count: Option<u32>,
    /// `tcp_user_timeout`.
    pub user_timeout: Option<Duration>,
}

/// When the user is asked for a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordPrompt {
    /// If the server requires one and none is known.
    WhenNeeded,
    /// Before connecting (`-W`).
    Always,
}
