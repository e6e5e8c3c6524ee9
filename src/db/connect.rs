//! From settings to a session: which server, with or without TLS, with which password.
//!
//! tokio-postgres connects to one address at a time. Everything else that libpq does is here:
//! trying the servers and their addresses in turn, the second attempt of `prefer` and `allow`, the
//! password prompt if the server requires one, and the check of `target_session_attrs`. This module
//! does not parse connection strings and prints nothing: the caller shows the prompt, and notices
//! of the server are dropped.

use std::future::poll_fn;
use std::io;

use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_postgres::config::{SslMode as Negotiation, SslNegotiation};
use tokio_postgres::tls::{MakeTlsConnect, TlsStream};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::conninfo::{
    APPLICATION_NAME, Endpoint, PasswordPrompt, Settings, SslMode, TargetSessionAttrs,
};
use super::tls::{self, TlsError};

mod cancel;
mod failure;
mod session;
mod target;
mod timeout;

pub use cancel::CancelHandle;
pub use failure::{ConnectionFailure, Reason};

use target::{Target, addresses, set_tcp};
use timeout::within;

/// Asks the user for a password; the argument is the text to show.
pub type Prompt<'a> = &'a (dyn Fn(&str) -> io::Result<String> + Send + Sync);

/// A session.
pub struct Connected {
    /// Sends queries.
    pub client: Client,
    /// Ends when the client is dropped or the connection breaks; the error has the reason.
    #[allow(
        dead_code,
        reason = "the program learns of a broken connection from its queries; a test waits for the end"
    )]
    pub task: JoinHandle<Result<(), tokio_postgres::Error>>,
    /// Cancels a running query.
    pub cancel: CancelHandle,
}

/// Why there is no session.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Certificates or keys are missing or malformed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// `-W` was given, and the password could not be read.
    #[error("could not read the password: {0}")]
    Prompt(io::Error),
    /// No server accepted the connection; one failure for each attempt, in order.
    #[error("{}", lines(.0))]
    Failed(Vec<ConnectionFailure>),
}

fn lines(failures: &[ConnectionFailure]) -> String {
    failures
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Asks on the terminal, without echo, even if standard input and output are redirected.
///
/// # Errors
/// When there is no terminal.
pub fn prompt_on_terminal(text: &str) -> io::Result<String> {
    rpassword::prompt_password(text)
}

/// Opens a session with the first server that accepts.
///
/// # Errors
/// When no server accepts, with the failure of each attempt.
pub async fn connect(settings: &Settings, prompt: Prompt<'_>) -> Result<Connected, ConnectError> {
    let mut attempts = Attempts::new(settings, prompt)?;
    for &wanted in passes(settings.target_session_attrs) {
        for endpoint in &settings.endpoints {
            if let Some(connected) = attempts.endpoint(endpoint, wanted).await? {
                return Ok(connected);
            }
        }
    }
    Err(attempts.give_up())
}

/// `prefer-standby` needs a second round in which any session is accepted.
fn passes(wanted: TargetSessionAttrs) -> &'static [TargetSessionAttrs] {
    use TargetSessionAttrs::{Any, PreferStandby, Primary, ReadOnly, ReadWrite, Standby};
    match wanted {
        Any => &[Any],
        ReadWrite => &[ReadWrite],
        ReadOnly => &[ReadOnly],
        Primary => &[Primary],
        Standby => &[Standby],
        PreferStandby => &[Standby, Any],
    }
}

/// The order of attempts on one address, as in libpq.
fn negotiations(sslmode: SslMode, endpoint: &Endpoint) -> &'static [Negotiation] {
    match sslmode {
        _ if endpoint.socket().is_some() => &[Negotiation::Disable],
        SslMode::Disable => &[Negotiation::Disable],
        SslMode::Allow => &[Negotiation::Disable, Negotiation::Require],
        SslMode::Prefer => &[Negotiation::Prefer, Negotiation::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Negotiation::Require],
    }
}

/// The state of one call of [`connect`].
struct Attempts<'a> {
    settings: &'a Settings,
    prompt: Prompt<'a>,
    /// None if TLS is never used.
    connector: Option<MakeRustlsConnect>,
    /// The password that the user typed; asked for at most once.
    answer: Option<String>,
    failures: Vec<ConnectionFailure>,
}

impl<'a> Attempts<'a> {
    fn new(settings: &'a Settings, prompt: Prompt<'a>) -> Result<Self, ConnectError> {
        let connector = if settings.sslmode == SslMode::Disable {
            None
        } else {
            Some(tls::connector(&settings.tls)?)
        };
        let mut attempts = Self {
            settings,
            prompt,
            connector,
            answer: None,
            failures: Vec::new(),
        };
        if settings.password_prompt == PasswordPrompt::Always {
            attempts.ask().map_err(ConnectError::Prompt)?;
        }
        Ok(attempts)
    }

    fn ask(&mut self) -> io::Result<()> {
        self.answer = Some((self.prompt)(&format!(
            "Password for user {}: ",
            self.settings.user
        ))?);
        Ok(())
    }

    fn give_up(&mut self) -> ConnectError {
        ConnectError::Failed(std::mem::take(&mut self.failures))
    }

    /// Tries the addresses of one server; none if the next server may be tried.
    async fn endpoint(
        &mut self,
        endpoint: &Endpoint,
        wanted: TargetSessionAttrs,
    ) -> Result<Option<Connected>, ConnectError> {
        let addresses = match addresses(endpoint, self.settings.connect_timeout).await {
            Ok(addresses) => addresses,
            Err(reason) => {
                self.failures
                    .push(ConnectionFailure::new(endpoint, None, reason));
                return Ok(None);
            }
        };
        for address in addresses {
            if let Some(connected) = self.address(Target { endpoint, address }, wanted).await? {
                return Ok(Some(connected));
            }
        }
        Ok(None)
    }

    /// Tries one address with and without TLS, as far as the mode allows.
    async fn address(
        &mut self,
        target: Target<'_>,
        wanted: TargetSessionAttrs,
    ) -> Result<Option<Connected>, ConnectError> {
        let mut is_final = false;
        for &negotiation in negotiations(self.settings.sslmode, target.endpoint) {
            let reason = match self.session(target, negotiation, wanted).await {
                Ok(connected) => return Ok(Some(connected)),
                Err(reason) => reason,
            };
            let may_negotiate_otherwise = reason.depends_on_encryption();
            is_final = reason.is_final();
            self.failures.push(ConnectionFailure::new(
                target.endpoint,
                target.address,
                reason,
            ));
            if !may_negotiate_otherwise {
                break;
            }
        }
        if is_final {
            Err(self.give_up())
        } else {
            Ok(None)
        }
    }

    /// Opens a session and checks its `target_session_attrs`.
    async fn session(
        &mut self,
        target: Target<'_>,
        negotiation: Negotiation,
        wanted: TargetSessionAttrs,
    ) -> Result<Connected, Reason> {
        let connected = match self.open(target, negotiation).await {
            Err(Reason::PasswordNeeded) if self.answer.is_none() => {
                self.ask().map_err(Reason::PasswordUnavailable)?;
                self.open(target, negotiation).await?
            }
            outcome => outcome?,
        };
        within(
            self.settings.connect_timeout,
            session::check(&connected.client, wanted),
        )
        .await?;
        Ok(connected)
    }

    async fn open(
        &self,
        target: Target<'_>,
        negotiation: Negotiation,
    ) -> Result<Connected, Reason> {
        let config = self.config(target, negotiation);
        let connector = self
            .connector
            .as_ref()
            .filter(|_| negotiation != Negotiation::Disable);
        let opened = within(self.settings.connect_timeout, async {
            match connector {
                Some(connector) => open(&config, connector.clone()).await,
                None => open(&config, NoTls).await,
            }
            .map_err(|error| self.reason(&error, target))
        });
        let (client, task) = opened.await?;
        let cancel = CancelHandle {
            token: client.cancel_token(),
            connector: connector.cloned(),
            timeout: self.settings.connect_timeout,
            endpoint: target.endpoint.clone(),
            address: target.address,
        };
        Ok(Connected {
            client,
            task,
            cancel,
        })
    }

    /// The name of the password file helps the user to correct a refused password.
    fn reason(&self, error: &tokio_postgres::Error, target: Target<'_>) -> Reason {
        let file = target
            .endpoint
            .password
            .as_ref()
            .and_then(|password| password.file.clone());
        Reason::of(error).with_password_file(file.filter(|_| self.answer.is_none()))
    }

    fn config(&self, target: Target<'_>, negotiation: Negotiation) -> Config {
        let settings = self.settings;
        let mut config = Config::new();
        config
            .user(&settings.user)
            .dbname(&settings.dbname)
            .application_name(APPLICATION_NAME)
            .port(target.endpoint.port)
            .ssl_mode(negotiation)
            .channel_binding(settings.channel_binding);
        target.set_host(&mut config);
        if let Some(options) = &settings.options {
            config.options(options);
        }
        if settings.tls.direct && negotiation == Negotiation::Require {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        let known = target
            .endpoint
            .password
            .as_ref()
            .map(|password| password.secret.reveal());
        if let Some(password) = self.answer.as_deref().or(known) {
            config.password(password);
        }
        if let Some(timeout) = settings.connect_timeout {
            config.connect_timeout(timeout);
        }
        set_tcp(&mut config, &settings.tcp);
        config
    }
}

type Opened = (Client, JoinHandle<Result<(), tokio_postgres::Error>>);

async fn open<T>(config: &Config, tls: T) -> Result<Opened, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    Ok((client, tokio::spawn(drive(connection))))
}

/// Drives the connection until it ends. Notices are dropped here, because tokio-postgres would log
/// them.
async fn drive<S>(mut connection: Connection<Socket, S>) -> Result<(), tokio_postgres::Error>
where
    S: TlsStream + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        message?;
    }
    Ok(())
}
