//! Who may connect to a throwaway server.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file from which initdb reads the superuser's password. It is removed once the server runs.
pub(super) const PASSWORD_FILE: &str = "password";

const PASSWORD_BYTES: usize = 32;

/// Who may connect. The socket is in a directory that only the server's user may enter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Every process of the server's user, as any role; the superuser is `postgres`.
    #[default]
    Trust,
    /// Only who knows a password: the superuser's is random, and only this process knows it. For a
    /// server in which code of strangers may run: that code runs as the server's user.
    Password,
}

/// The superuser's name and password.
pub(super) struct Credentials {
    user: String,
    password: Option<String>,
}

impl Credentials {
    pub(super) fn new(access: Access) -> io::Result<Credentials> {
        Ok(match access {
            Access::Trust => Credentials {
                user: "postgres".to_owned(),
                password: None,
            },
            // Any role of the copied server may have the name `postgres`.
            Access::Password => Credentials {
                user: format!("pgrehearse_{}", random_hex(8)?),
                password: Some(new_password()?),
            },
        })
    }

    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Writes the file for initdb, readable for its owner only.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let Some(password) = &self.password else {
            return Ok(());
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(directory.join(PASSWORD_FILE))?;
        file.write_all(password.as_bytes())
    }

    /// For initdb.
    pub(super) fn arguments(&self, directory: &Path) -> Vec<String> {
        let mut arguments = vec![format!("--username={}", self.user)];
        if self.password.is_some() {
            arguments.push("--auth=scram-sha-256".to_owned());
            let file = directory.join(PASSWORD_FILE);
            arguments.push(format!("--pwfile={}", file.display()));
        } else {
            arguments.push("--auth=trust".to_owned());
        }
        arguments
    }
}

/// As part of a connection string.
impl fmt::Display for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "user={}", self.user)?;
        match &self.password {
            Some(password) => write!(formatter, " password={password}"),
            None => Ok(()),
        }
    }
}

/// A password that cannot be guessed.
///
/// # Errors
/// When the operating system has no random numbers.
pub fn new_password() -> io::Result<String> {
    random_hex(PASSWORD_BYTES)
}

fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A value of a connection string
/// (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE>).
pub(super) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_the_same() {
        let credentials = || Credentials::new(Access::Password).unwrap().to_string();
        assert_ne!(credentials(), credentials());
        assert_eq!(new_password().unwrap().len(), 64);
    }

    #[test]
    fn values_are_quoted() {
        assert_eq!(quote(r"a 'b' \c"), r"'a \'b\' \\c'");
    }
}
