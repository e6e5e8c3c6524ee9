//! Index definitions as SQL writes them.

use super::definition::{Index, IndexKey, Key, Method};
use crate::sql::{IndexElement, Shape, SqlError, parse_create_index, with_folded_names};

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

/// An index as a person wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenIndex {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Which rows it finds how.
    pub index: Index,
    /// What else the statement says: `UNIQUE`, storage parameters.
    pub beyond: Vec<String>,
}

/// Reads what a person types to name an index: a `CREATE INDEX` statement, or only what stands
/// behind `ON`.
///
/// # Errors
/// When it is no index that the parser knows.
pub fn parse_written_index(text: &str) -> Result<WrittenIndex, SqlError> {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    let ddl = match first.to_ascii_lowercase().as_str() {
        "create" | "drop" | "alter" | "" => text.to_owned(),
        "index" | "unique" => format!("CREATE {text}"),
        "on" => format!("CREATE INDEX {text}"),
        _ => format!("CREATE INDEX ON {text}"),
    };
    let ddl = with_folded_names(&ddl);
    let statement = parse_create_index(&ddl)?;
    Ok(WrittenIndex {
        name: statement.name,
        beyond: statement.beyond,
        index: parse_index(&ddl)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_may_be_written_in_short() {
        let read = |text| parse_written_index(text).unwrap();
        let kept = read("Orders (\"Placed\") WHERE State = 'Open'");
        assert_eq!(
            kept.index.definition(),
            "public.orders (\"Placed\") WHERE state = 'Open'"
        );
        let whole = read("create index by_state on Orders (state, Placed desc) where paid;");
        assert_eq!(whole.name.as_deref(), Some("by_state"));
        for text in [
            "on orders (state, placed desc) where paid",
            "orders (state, placed desc) where paid",
            "index on orders (state, placed desc) where paid",
        ] {
            let short = read(text);
            assert_eq!(
                (short.name, short.index),
                (None, whole.index.clone()),
                "{text}"
            );
        }
        assert_eq!(read("unique index on orders (id)").beyond, ["UNIQUE"]);
        assert!(parse_written_index("").is_err());
        assert!(parse_written_index("create table t ()").is_err());
    }
}
