//! `CREATE INDEX` statements, as `pg_get_indexdef` prints them and as people write them, read into [`Index`].

use sqlparser::ast::{Expr, IndexColumn, IndexType, ObjectName, OrderBySort, Statement};

use super::expression::read;
use super::{SqlError, parse_all, syntax};
use crate::index::{Index, IndexKey, Key, Method};
use crate::model::QualifiedName;
use crate::sql::Shape;

/// Reads a `CREATE INDEX` statement; a table without a schema is looked for in `public`.
///
/// # Errors
/// When it is no `CREATE INDEX` that `sqlparser` knows.
pub fn parse_index(ddl: &str) -> Result<Index, SqlError> {
    // The one form that sqlparser does not read and pg_get_indexdef prints for every partitioned index.
    let ddl = ddl.replacen(" ON ONLY ", " ON ", 1);
    parse_all(&ddl, |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        let Statement::CreateIndex(definition) = statement else {
            return Err(SqlError::Syntax(
                "this is not a CREATE INDEX statement".to_owned(),
            ));
        };
        let method = method(definition.using.as_ref());
        let keys = definition
            .columns
            .iter()
            .map(|column| index_key(column, &method))
            .collect();
        Ok(Index {
            table: qualified_name(&definition.table_name)?,
            keys,
            include: definition
                .include
                .iter()
                .map(|column| column.value.clone())
                .collect(),
            predicate: definition
                .predicate
                .as_ref()
                .map(|predicate| read(predicate).text),
            pages_per_range: pages_per_range(&definition.with),
            extension: None,
            method,
        })
    })
}

fn method(using: Option<&IndexType>) -> Method {
    match using.map(ToString::to_string) {
        None => Method::Btree,
        Some(name) => Method::from_name(&name.to_ascii_lowercase()),
    }
}

fn qualified_name(name: &ObjectName) -> Result<QualifiedName, SqlError> {
    let parts: Vec<&str> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident())
        .map(|part| part.value.as_str())
        .collect();
    match parts.as_slice() {
        [table] => Ok(QualifiedName::new("public", *table)),
        [.., schema, table] => Ok(QualifiedName::new(*schema, *table)),
        [] => Err(SqlError::Syntax("the table has no name".to_owned())),
    }
}

fn index_key(column: &IndexColumn, method: &Method) -> IndexKey {
    let expression = read(&column.column.expr);
    let descending = matches!(column.column.options.sort, Some(OrderBySort::Desc));
    let key = match expression.shape {
        Shape::Column(name) => Key::Column(name),
        _ => Key::Expression(expression.text),
    };
    let nulls_first =
        column.column.options.nulls_first.unwrap_or(descending) && *method == Method::Btree;
    IndexKey {
        key,
        operator_class: column.operator_class.as_ref().map(ToString::to_string),
        descending,
        nulls_first,
    }
}

fn pages_per_range(options: &[Expr]) -> Option<u32> {
    options.iter().find_map(|option| match option {
        Expr::BinaryOp { left, right, .. }
            if left.to_string().eq_ignore_ascii_case("pages_per_range") =>
        {
            right.to_string().trim_matches('\'').parse().ok()
        }
        _ => None,
    })
}
