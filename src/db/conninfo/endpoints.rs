//! From `host`, `hostaddr` and `port`, each a list with commas, to the servers to try.
//!
//! Source: PostgreSQL documentation, "Specifying Multiple Hosts": `hostaddr` or else `host` decides
//! how many there are; one port is enough for all; an empty entry means the default.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::error::ConninfoError;
use super::files::{FileKind, Files};
use super::keywords::{Parameters, Value};
use super::settings::{Endpoint, Host};

const DEFAULT_PORT: u16 = 5432;

/// Compiled into libpq; Debian's and the upstream value are the only two in wide use.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The default socket directory: the first of the usual ones that exists.
pub(super) fn default_socket_directory(files: &dyn Files) -> Option<&'static Path> {
    let mut directories = SOCKET_DIRECTORIES.into_iter().map(Path::new);
    directories.find(|directory| cfg!(unix) && files.kind(directory) == Some(FileKind::Directory))
}

/// The servers, without passwords.
pub(super) fn endpoints(
    parameters: &Parameters,
    files: &dyn Files,
) -> Result<Vec<Endpoint>, ConninfoError> {
    let hosts = hosts(parameters, files)?;
    let ports = ports(parameters.filled("port"))?;
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err(ConninfoError::CountMismatch {
            keyword: "port",
            count: ports.len(),
            hosts: hosts.len(),
        });
    }
    let ports = ports.iter().copied().cycle();
    Ok(hosts
        .into_iter()
        .zip(ports)
        .map(|(host, port)| Endpoint {
            host,
            port,
            password: None,
        })
        .collect())
}

fn hosts(parameters: &Parameters, files: &dyn Files) -> Result<Vec<Host>, ConninfoError> {
    let names = parameters.text("host").map(entries);
    let Some(addresses) = parameters.filled("hostaddr") else {
        let names = names.unwrap_or_else(|| vec![""]);
        return Ok(names
            .into_iter()
            .map(|name| host_of(name, None, files))
            .collect());
    };
    let addresses = addresses_of(addresses)?;
    let names = names.unwrap_or_else(|| vec![""; addresses.len()]);
    if names.len() != addresses.len() {
        return Err(ConninfoError::CountMismatch {
            keyword: "host",
            count: names.len(),
            hosts: addresses.len(),
        });
    }
    Ok(names
        .into_iter()
        .zip(addresses)
        .map(|(name, address)| host_of(name, address, files))
        .collect())
}

fn host_of(name: &str, address: Option<IpAddr>, files: &dyn Files) -> Host {
    match (name, address) {
        ("", Some(address)) => Host::Address(address),
        ("", None) => default_host(files),
        (name, None) if cfg!(unix) && name.starts_with('/') => Host::Socket(PathBuf::from(name)),
        (name, address) => Host::Named {
            name: name.to_owned(),
            address,
        },
    }
}

fn default_host(files: &dyn Files) -> Host {
    match default_socket_directory(files) {
        Some(directory) => Host::Socket(directory.to_owned()),
        None => Host::Named {
            name: "localhost".to_owned(),
            address: None,
        },
    }
}

fn entries(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).collect()
}

fn addresses_of(list: &Value) -> Result<Vec<Option<IpAddr>>, ConninfoError> {
    let parse = |entry: &str| {
        if entry.is_empty() {
            Ok(None)
        } else {
            entry.parse().map(Some)
        }
    };
    entries(&list.text)
        .into_iter()
        .map(parse)
        .collect::<Result<_, _>>()
        .map_err(|_| list.refused("hostaddr", "numeric addresses"))
}

fn ports(list: Option<&Value>) -> Result<Vec<u16>, ConninfoError> {
    let Some(list) = list else {
        return Ok(vec![DEFAULT_PORT]);
    };
    entries(&list.text)
        .into_iter()
        .map(port)
        .collect::<Option<_>>()
        .ok_or_else(|| list.refused("port", "a number from 1 to 65535"))
}

fn port(entry: &str) -> Option<u16> {
    if entry.is_empty() {
        return Some(DEFAULT_PORT);
    }
    entry.parse().ok().filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use super::super::files::fake::FakeFiles;
    use super::super::origin::Origin;
    use super::*;

    fn resolve(pairs: &[(&str, &str)], files: &FakeFiles) -> Result<String, String> {
        let mut parameters = Parameters::default();
        for (keyword, text) in pairs {
            parameters
                .set(keyword, (*text).to_owned(), &Origin::ConnectionString)
                .unwrap();
        }
        let found = endpoints(&parameters, files).map_err(|error| error.to_string())?;
        Ok(found
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "))
    }

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn lists_are_paired_as_the_manual_says() {
        let directory = |path| FakeFiles::default().with(path, FileKind::Directory, "");
        let cases: [(Pairs, FakeFiles, &str); 9] = [
            (
                &[],
                directory("/var/run/postgresql").with("/tmp", FileKind::Directory, ""),
                "/var/run/postgresql:5432",
            ),
            (&[], directory("/tmp"), "/tmp:5432"),
            (&[], FakeFiles::default(), "localhost:5432"),
            (
                &[("host", "a,b"), ("port", "1,2")],
                FakeFiles::default(),
                "a:1 b:2",
            ),
            (
                &[("host", "a,b"), ("port", "7")],
                FakeFiles::default(),
                "a:7 b:7",
            ),
            (
                &[("host", "a,b"), ("port", ",2")],
                FakeFiles::default(),
                "a:5432 b:2",
            ),
            (
                &[("host", "/run,::1"), ("port", "1,2")],
                FakeFiles::default(),
                "/run:1 [::1]:2",
            ),
            (
                &[("hostaddr", "::1,10.0.0.1")],
                FakeFiles::default(),
                "[::1]:5432 10.0.0.1:5432",
            ),
            (
                &[("host", "a,,c")],
                directory("/tmp"),
                "a:5432 /tmp:5432 c:5432",
            ),
        ];
        for (pairs, files, expected) in cases {
            assert_eq!(resolve(pairs, &files).as_deref(), Ok(expected), "{pairs:?}");
        }
    }

    #[test]
    fn an_address_spares_the_look_up_but_keeps_the_name() {
        let host = host_of("db1", "10.0.0.1".parse().ok(), &FakeFiles::default());
        assert_eq!(
            host,
            Host::Named {
                name: "db1".to_owned(),
                address: Some(IpAddr::from([10, 0, 0, 1]))
            }
        );
    }

    #[test]
    fn what_does_not_pair_is_refused() {
        let port = "invalid value for connection option \"port\" in the connection string: expected a number from 1 to 65535";
        let cases: [(&[(&str, &str)], &str); 6] = [
            (
                &[("host", "a,b,c"), ("port", "1,2")],
                "could not match 2 port values to 3 hosts",
            ),
            (
                &[("host", "a,b"), ("hostaddr", "::1")],
                "could not match 2 host values to 1 hosts",
            ),
            (&[("port", "0")], port),
            (&[("port", "65536")], port),
            (&[("port", "sekret")], port),
            (
                &[("hostaddr", "db1")],
                "invalid value for connection option \"hostaddr\" in the connection string: expected numeric addresses",
            ),
        ];
        for (pairs, expected) in cases {
            assert_eq!(
                resolve(pairs, &FakeFiles::default()).unwrap_err(),
                expected,
                "{pairs:?}"
            );
        }
    }
}
