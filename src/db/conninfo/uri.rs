//! The URI form of a connection string:
//! `postgresql://[user[:password]@][host[:port],…][/dbname][?keyword=value&…]`.
//!
//! Source: PostgreSQL documentation, "Connection URIs", and the order in which libpq's
//! `conninfo_uri_parse_options` looks for the delimiters. Stricter than libpq in one point: an `@`
//! in a place where only a badly escaped password can have put it is an error, because the pieces
//! would otherwise appear as a host or a database name in messages and on the wire.

use super::error::{ConninfoError, SyntaxError};
use super::keywords::Parameters;
use super::origin::Origin;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// What follows the scheme, if the text is a connection URI.
pub(super) fn without_scheme(text: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// Reads a URI from behind its scheme.
pub(super) fn parse(rest: &str) -> Result<Parameters, ConninfoError> {
    let mut target = Target::default();
    let (user_info, rest) = split_user_info(rest);
    if let Some(user_info) = user_info {
        target.user_info(user_info)?;
    }
    let (hosts, rest) = split_at_any(rest, &['/', '?']);
    check_for_stray_at(user_info, hosts, rest)?;
    target.hosts(hosts)?;
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    if let Some(dbname) = path.strip_prefix('/') {
        target.set_filled("dbname", dbname, "database name")?;
    }
    if let Some(query) = query {
        target.query(query)?;
    }
    Ok(target.parameters)
}

/// The user information ends at the first `@` that comes before any `/`.
fn split_user_info(rest: &str) -> (Option<&str>, &str) {
    let (before_path, _) = split_at_any(rest, &['/']);
    match before_path.find('@') {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    }
}

/// An `@` is unexpected
/// 1. in the host list: the user information has ended before it, so it had an `@` of its own;
/// 2. behind the host list, when there was no user information but a `:`: the password had a `/`.
fn check_for_stray_at(user_info: Option<&str>, hosts: &str, rest: &str) -> Result<(), SyntaxError> {
    let in_hosts = hosts.contains('@');
    let behind_hosts = user_info.is_none() && hosts.contains(':') && rest.contains('@');
    if in_hosts || behind_hosts {
        Err(SyntaxError::UnexpectedAt)
    } else {
        Ok(())
    }
}

fn split_at_any<'a>(text: &'a str, delimiters: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(delimiters).unwrap_or(text.len()))
}

#[derive(Default)]
struct Target {
    parameters: Parameters,
}

impl Target {
    fn user_info(&mut self, text: &str) -> Result<(), ConninfoError> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        self.set_filled("user", user, "user name")?;
        self.set_filled("password", password, "password")
    }

    /// `a:1,[::1]:2,c` becomes `host=a,::1,c` and `port=1,2,`.
    fn hosts(&mut self, text: &str) -> Result<(), ConninfoError> {
        let pairs: Vec<(&str, &str)> = text.split(',').map(split_port).collect::<Result<_, _>>()?;
        let hosts: Vec<&str> = pairs.iter().map(|(host, _)| *host).collect();
        let ports: Vec<&str> = pairs.iter().map(|(_, port)| *port).collect();
        if hosts.iter().any(|host| !host.is_empty()) {
            self.set_filled("host", &hosts.join(","), "host")?;
        }
        if ports.iter().any(|port| !port.is_empty()) {
            self.set_filled("port", &ports.join(","), "port")?;
        }
        Ok(())
    }

    fn query(&mut self, text: &str) -> Result<(), ConninfoError> {
        for (index, pair) in text
            .split('&')
            .enumerate()
            .filter(|(_, pair)| !pair.is_empty())
        {
            let position = index + 1;
            let Some((keyword, value)) = pair.split_once('=') else {
                return Err(SyntaxError::QueryMissingEquals { position }.into());
            };
            if value.contains('=') {
                return Err(SyntaxError::QueryExtraEquals { position }.into());
            }
            let keyword = decode(keyword, "query")?;
            let value = decode(value, "query")?;
            self.query_parameter(&keyword, value)?;
        }
        Ok(())
    }

    /// `ssl=true` is how JDBC URIs say `sslmode=require`; libpq accepts it for their sake.
    fn query_parameter(&mut self, keyword: &str, value: String) -> Result<(), ConninfoError> {
        if keyword == "ssl" && value == "true" {
            return self
                .parameters
                .set("sslmode", "require".to_owned(), &Origin::ConnectionString);
        }
        self.parameters
            .set(keyword, value, &Origin::ConnectionString)
    }

    /// An empty part of a URI is an absent one.
    fn set_filled(
        &mut self,
        keyword: &str,
        encoded: &str,
        part: &'static str,
    ) -> Result<(), ConninfoError> {
        if encoded.is_empty() {
            return Ok(());
        }
        self.parameters
            .set(keyword, decode(encoded, part)?, &Origin::ConnectionString)
    }
}

fn split_port(text: &str) -> Result<(&str, &str), SyntaxError> {
    let Some(bracketed) = text.strip_prefix('[') else {
        return Ok(text.split_once(':').unwrap_or((text, "")));
    };
    match bracketed.split_once(']') {
        Some((address, "")) if !address.is_empty() => Ok((address, "")),
        Some((address, port)) if !address.is_empty() => port
            .strip_prefix(':')
            .map(|port| (address, port))
            .ok_or(SyntaxError::Ipv6Address),
        _ => Err(SyntaxError::Ipv6Address),
    }
}

/// Decodes `%XX`; unlike in HTML forms, `+` is a plus sign. NUL and invalid UTF-8 are refused.
fn decode(encoded: &str, part: &'static str) -> Result<String, SyntaxError> {
    let wrong = || SyntaxError::PercentEncoding { part };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(hexadecimal).ok_or_else(wrong);
        match digit()? * 16 + digit()? {
            0 => return Err(wrong()),
            decoded => bytes.push(decoded),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(uri: &str, keyword: &str) -> Option<String> {
        let parameters =
            parse(without_scheme(uri).unwrap()).unwrap_or_else(|error| panic!("{uri}: {error}"));
        parameters.value(keyword).map(|value| value.text.clone())
    }

    /// The examples of the manual and of libpq's own test suite
    /// (`src/interfaces/libpq/t/001_uri.pl`).
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn parts_are_found_where_libpq_finds_them() {
        let cases = [
            ("postgresql://", "host", None),
            ("postgresql://localhost", "host", Some("localhost")),
            ("postgresql://localhost:5433", "port", Some("5433")),
            ("postgresql://localhost/mydb", "dbname", Some("mydb")),
            ("postgresql://user@localhost", "user", Some("user")),
            (
                "postgresql://user:secret@localhost",
                "password",
                Some("secret"),
            ),
            (
                "postgresql://other@localhost/otherdb?connect_timeout=10",
                "connect_timeout",
                Some("10"),
            ),
            (
                "postgresql://host1:123,host2:456/somedb",
                "host",
                Some("host1,host2"),
            ),
            (
                "postgresql://host1:123,host2:456/somedb",
                "port",
                Some("123,456"),
            ),
            ("postgresql://host1,host2:456", "port", Some(",456")),
            (
                "postgresql:///mydb?host=localhost&port=5433",
                "port",
                Some("5433"),
            ),
            (
                "postgresql://[2001:db8::1234]/database",
                "host",
                Some("2001:db8::1234"),
            ),
            ("postgresql://[::1]:12345/db", "port", Some("12345")),
            (
                "postgresql://%2Fvar%2Flib%2Fpostgresql/dbname",
                "host",
                Some("/var/lib/postgresql"),
            ),
            (
                "postgresql://uri-user@host?user=other",
                "user",
                Some("other"),
            ),
            ("postgresql://host?ssl=true", "sslmode", Some("require")),
            ("postgresql://host/", "dbname", None),
            ("postgres://u:p%40%3a%2f%25@h/db", "password", Some("p@:/%")),
            ("postgres://u:p?w@h/db", "password", Some("p?w")),
            ("postgres://u:a:b@h/db", "password", Some("a:b")),
            ("postgres://u@h/db@2", "dbname", Some("db@2")),
            ("postgres://h/db@2", "dbname", Some("db@2")),
            (
                "postgres://h?options=-c%20geqo%3Doff",
                "options",
                Some("-c geqo=off"),
            ),
            ("postgres://h/a+b", "dbname", Some("a+b")),
        ];
        for (uri, keyword, expected) in cases {
            assert_eq!(text(uri, keyword).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn mistakes_are_explained_without_the_password() {
        let cases = [
            "postgres://u:sekret%zz@h/db",
            "postgres://u:sekret%00@h/db",
            "postgres://u:sekret%ff@h/db",
            "postgres://u:se/kret@h/db",
            "postgres://u:5432/sekret@h/db",
            "postgres://u:5432/x?sekret=1@h/db",
            "postgres://u:s@sekret@h/db",
            "postgres://u:sekret@[::1/db",
            "postgres://u:sekret@[]/db",
            "postgres://u:sekret@[::1]z/db",
            "postgres://u:sekret@h/db?foo",
            "postgres://u:sekret@h/db?foo=1",
            "postgres://u:sekret@h/db?sslmode=a=b",
            "postgres://u:sekret@h/db?zzz=1&user=x",
        ];
        for uri in cases {
            let error = parse(without_scheme(uri).unwrap())
                .map(|_| uri)
                .unwrap_err();
            for shown in [error.to_string(), format!("{error:?}")] {
                assert!(!shown.contains("kret"), "{uri}: {shown}");
            }
        }
    }
}
