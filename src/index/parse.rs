//! Index definitions as SQL writes them.

use super::definition::{Index, IndexKey, Key, Method};
use crate::sql::{IndexElement, Shape, SqlError, parse_create_index};

/// Reads a `CREATE INDEX` statement; a table without a schema is looked for in `public`.
///
/// # Errors
/// When it is no `CREATE INDEX` that the parser knows.
pub fn parse_index(ddl: &str) -> Result<Index, SqlError> {
    let statement = parse_create_index(ddl)?;
    let method = statement
        .method
        .map_or(Method::Btree, |name| Method::from_name(&name));
    let elements = statement.elements.into_iter();
    Ok(Index {
        table: statement.table,
        keys: elements.map(|element| key(element, &method)).collect(),
        include: statement.include,
        predicate: statement.predicate,
        pages_per_range: statement.pages_per_range,
        extension: None,
        method,
    })
}

/// Only a btree keeps an order, and NULLs first or last in it.
fn key(element: IndexElement, method: &Method) -> IndexKey {
    let key = match element.expression.shape {
        Shape::Column(name) => Key::Column(name),
        _ => Key::Expression(element.expression),
    };
    let nulls_first = element.nulls_first.unwrap_or(element.descending);
    IndexKey {
        key,
        operator_class: element.operator_class,
        descending: element.descending,
        nulls_first: nulls_first && *method == Method::Btree,
    }
}
