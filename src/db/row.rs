//! Fields of the rows that our own queries return.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::DbError;

/// A field of one of our own queries. That it exists and has this type depends only on the query.
pub(super) fn field<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, DbError> {
    row.try_get(name)
        .map_err(|error| unexpected(&format!("{name}: {error}")))
}

/// The server answered something that it cannot answer.
pub(super) fn unexpected(message: &str) -> DbError {
    DbError::Query {
        operation: "reading the catalog",
        message: message.to_owned(),
        state: None,
    }
}
