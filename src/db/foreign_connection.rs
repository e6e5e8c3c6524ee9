//! How a foreign server is reached.

use tokio_postgres::types::Type;

use super::row::field;
use super::session::TransactionMode;
use super::{DbError, Session};

const OPERATION: &str = "reading the options of foreign servers";

/// How a foreign server is reached, as far as the role may know.
#[derive(Clone, PartialEq, Eq)]
pub enum ForeignConnection {
    /// As this connection string says. It may have a password, so it is not shown.
    Conninfo(String),
    /// The role has no user mapping.
    NotMapped,
    /// The role may not read the options of its user mapping.
    NotReadable,
}

impl Session {
    /// How this role would reach a server of `CREATE SERVER`.
    ///
    /// # Errors
    /// When the server cannot be asked any more.
    pub fn foreign_connection(&self, server: &str) -> Result<ForeignConnection, DbError> {
        self.within(OPERATION, TransactionMode::Read, |session| {
            let sql = include_str!("sql/foreign_connection.sql");
            let rows = session.query(OPERATION, sql, &[(&server, Type::TEXT)])?;
            let Some(row) = rows.first() else {
                return Ok(ForeignConnection::NotMapped);
            };
            if !field::<bool>(row, "is_mapped")? {
                return Ok(ForeignConnection::NotMapped);
            }
            let names: Vec<String> = field(row, "names")?;
            let values: Vec<String> = field(row, "values")?;
            let options: Vec<(String, String)> = names.into_iter().zip(values).collect();
            // Without a user, the operating system's user of that server would be meant.
            if !field::<bool>(row, "is_readable")? || !has(&options, "user") {
                return Ok(ForeignConnection::NotReadable);
            }
            let own_host: Option<String> = field(row, "own_host")?;
            Ok(ForeignConnection::Conninfo(conninfo(options, own_host)))
        })
    }
}

fn has(options: &[(String, String)], name: &str) -> bool {
    options.iter().any(|(option, _)| option == name)
}

fn conninfo(mut options: Vec<(String, String)>, own_host: Option<String>) -> String {
    let is_elsewhere = has(&options, "host") || has(&options, "hostaddr");
    let host = own_host.filter(|host| !is_elsewhere && !host.is_empty());
    options.extend(host.map(|host| ("host".to_owned(), host)));
    let pairs = options.iter().map(|(name, value)| {
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        format!("{name}='{value}'")
    });
    pairs.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn values_are_quoted_as_in_a_connection_string() {
        let text = conninfo(
            options(&[("host", "db 1"), ("password", "it's \\ host=evil")]),
            Some("/tmp".to_owned()),
        );
        assert_eq!(text, "host='db 1' password='it\\'s \\\\ host=evil'");
    }

    #[test]
    fn a_server_without_a_host_is_where_this_one_is() {
        let text = conninfo(options(&[("dbname", "app")]), Some("/run/pg".to_owned()));
        assert_eq!(text, "dbname='app' host='/run/pg'");
        let text = conninfo(
            options(&[("hostaddr", "10.0.0.1")]),
            Some("/run/pg".to_owned()),
        );
        assert_eq!(text, "hostaddr='10.0.0.1'");
    }
}
