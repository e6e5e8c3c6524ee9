//! From the user's options to the settings of a connection, as psql and libpq do it.
//!
//! [`resolve`] is a pure function of the command line, the environment and the files; nothing here
//! opens a connection, prints, or knows TLS beyond its settings. tokio-postgres's own parser of
//! connection strings is not used: it has no `verify-ca` and `verify-full`, no certificates, no
//! password file and no services, and refuses libpq's other keywords.
//!
//! Sources, first to last rank:
//! 1. the connection string given as `-d` (a URI or `key=value …`). It outranks the other options,
//!    as psql's manual says of `-d`: "connection string parameters will override any conflicting
//!    command line options";
//! 2. the options `-h`, `-p`, `-U`, and a plain database name given as `-d`;
//! 3. the service named by `service=` or `PGSERVICE`;
//! 4. the environment variables;
//! 5. the defaults: the socket directory or `localhost`, port 5432, the operating system's user
//!    name, and the database named after the user.

use std::fmt;

mod encryption;
mod endpoints;
mod environment;
mod error;
mod files;
mod key_value;
mod keywords;
mod options;
mod origin;
mod password_file;
mod passwords;
mod service_file;
mod settings;
mod sources;
mod uri;

pub use environment::Environment;
#[cfg(feature = "internals")]
pub use error::Warning;
pub use error::{ConninfoError, SyntaxError};
pub use files::{Files, OsFiles};
pub use origin::Origin;
pub use settings::{
    APPLICATION_NAME, Endpoint, Host, PasswordPrompt, Settings, SslMode, TargetSessionAttrs,
    TcpSettings,
};

use encryption::Encryption;
use keywords::Parameters;
use sources::Sources;

/// The connection options of the command line, as typed.
#[derive(Clone, Default)]
pub struct Typed {
    /// `-d`: a database name, a URI or a `key=value …` string.
    pub dbname: Option<String>,
    /// `-h`.
    pub host: Option<String>,
    /// `-p`.
    pub port: Option<String>,
    /// `-U`.
    pub username: Option<String>,
    /// `-W`: ask for a password before connecting.
    pub password_prompt: bool,
}

impl Typed {
    fn prompt(&self) -> PasswordPrompt {
        if self.password_prompt {
            PasswordPrompt::Always
        } else {
            PasswordPrompt::WhenNeeded
        }
    }
}

impl fmt::Debug for Typed {
    /// The database name may be a URI with a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Typed")
            .field("dbname", &self.dbname.as_ref().map(|_| "<not shown>"))
            .field("host", &self.host)
            .field("port", &self.port)
            .field("username", &self.username)
            .field("password_prompt", &self.password_prompt)
            .finish()
    }
}

/// Resolves a connection.
///
/// # Errors
/// When the connection string, a value, or the service file is wrong, or `sslmode` needs a file
/// that does not exist.
pub fn resolve(
    typed: &Typed,
    environment: &Environment,
    files: &dyn Files,
) -> Result<Settings, ConninfoError> {
    let parameters = merged(typed, environment, files)?;
    let user = parameters
        .text("user")
        .or(environment.os_user())
        .ok_or(ConninfoError::NoUserName)?;
    let dbname = parameters.text("dbname").unwrap_or(user);
    let mut endpoints = endpoints::endpoints(&parameters, files)?;
    let sources = Sources {
        parameters: &parameters,
        home: environment.home(),
        files,
    };
    let Encryption {
        sslmode,
        tls,
        mut warnings,
    } = sources.encryption(&endpoints)?;
    warnings.extend(sources.fill_passwords(&mut endpoints, user, dbname));
    Ok(Settings {
        user: user.to_owned(),
        dbname: dbname.to_owned(),
        options: parameters.text("options").map(str::to_owned),
        connect_timeout: options::seconds(&parameters, "connect_timeout")?,
        channel_binding: options::channel_binding(&parameters)?,
        target_session_attrs: options::target_session_attrs(&parameters)?,
        tcp: options::tcp(&parameters)?,
        password_prompt: typed.prompt(),
        endpoints,
        sslmode,
        tls,
        warnings,
    })
}

/// All sources merged.
fn merged(
    typed: &Typed,
    environment: &Environment,
    files: &dyn Files,
) -> Result<Parameters, ConninfoError> {
    let (connection_string, dbname) = split_dbname(typed.dbname.as_deref())?;
    let options = flags(typed, dbname)?;
    let chosen = connection_string.or(options);
    let variables = environment.parameters()?;
    let service =
        service_file::parameters(&chosen.clone().or(variables.clone()), environment, files)?;
    Ok(chosen.or(service).or(variables))
}

/// `-d` is either a connection string or a plain name.
fn split_dbname(dbname: Option<&str>) -> Result<(Parameters, Option<&str>), ConninfoError> {
    let Some(text) = dbname else {
        return Ok((Parameters::default(), None));
    };
    if let Some(rest) = uri::without_scheme(text) {
        return Ok((uri::parse(rest)?, None));
    }
    if text
        .split_once("://")
        .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(SyntaxError::UnknownScheme.into());
    }
    if text.contains('=') {
        return Ok((key_value::parse(text)?, None));
    }
    Ok((Parameters::default(), Some(text)))
}

fn flags(typed: &Typed, dbname: Option<&str>) -> Result<Parameters, ConninfoError> {
    let given = [
        ("dbname", "-d", dbname),
        ("host", "-h", typed.host.as_deref()),
        ("port", "-p", typed.port.as_deref()),
        ("user", "-U", typed.username.as_deref()),
    ];
    let mut parameters = Parameters::default();
    for (keyword, flag, text) in given {
        if let Some(text) = text {
            parameters.set(keyword, text.to_owned(), &Origin::Flag(flag))?;
        }
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests;
