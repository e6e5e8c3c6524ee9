//! Which password belongs to which server, from the parameters and the password file.

use std::path::{Path, PathBuf};

use super::endpoints;
use super::error::Warning;
use super::password_file::{Login, PasswordFile};
use super::settings::{Endpoint, Host, Password, Secret};
use super::sources::Sources;

impl Sources<'_> {
    /// Gives each server its password; returns a warning if the password file was not used.
    pub(super) fn fill_passwords(
        &self,
        endpoints: &mut [Endpoint],
        user: &str,
        dbname: &str,
    ) -> Option<Warning> {
        if let Some(password) = self.parameters.text("password") {
            for endpoint in endpoints {
                endpoint.password = Some(Password {
                    secret: Secret::new(password.to_owned()),
                    file: None,
                });
            }
            return None;
        }
        let file = match PasswordFile::open(&self.password_file_path()?, self.files) {
            Ok(file) => file?,
            Err(warning) => return Some(warning),
        };
        let default_directory = endpoints::default_socket_directory(self.files);
        for endpoint in endpoints {
            let names = host_names(&endpoint.host, default_directory);
            let host_names: Vec<&str> = names.iter().map(String::as_str).collect();
            let found = file.password(Login {
                host_names: &host_names,
                port: endpoint.port,
                dbname,
                user,
            });
            endpoint.password = found.map(|password| Password {
                secret: Secret::new(password),
                file: Some(file.path.clone()),
            });
        }
        None
    }

    fn password_file_path(&self) -> Option<PathBuf> {
        let given = self.parameters.text("passfile").map(PathBuf::from);
        given.or_else(|| self.home.map(|home| home.join(".pgpass")))
    }
}

/// The names under which the password file may list a host.
fn host_names(host: &Host, default_directory: Option<&Path>) -> Vec<String> {
    match host {
        Host::Named { name, .. } => vec![name.clone()],
        Host::Address(address) => vec![address.to_string()],
        Host::Socket(directory) => {
            let localhost =
                (Some(directory.as_path()) == default_directory).then(|| "localhost".to_owned());
            [directory.display().to_string()]
                .into_iter()
                .chain(localhost)
                .collect()
        }
    }
}
