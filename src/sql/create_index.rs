//! `CREATE INDEX` statements, as `pg_get_indexdef` prints them and as people write them.

use std::borrow::Cow;

use sqlparser::ast::{Expr, Ident, IndexColumn, ObjectName, OrderBySort, Statement};

use super::expression::Expression;
use super::parse_expression::read;
use super::parser::{SqlError, parse_all, syntax};
use super::tokens::Tokens;
use crate::model::QualifiedName;

/// What a `CREATE INDEX` statement says.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    /// The index's name, if it has one.
    pub name: Option<String>,
    /// Clauses that say more than which rows are found how: `UNIQUE`, storage parameters.
    pub beyond: Vec<String>,
    /// The table; in `public` where no schema is named.
    pub table: QualifiedName,
    /// USING, in lower case.
    pub method: Option<String>,
    /// The columns and expressions in parentheses.
    pub elements: Vec<IndexElement>,
    /// INCLUDE, unquoted.
    pub include: Vec<String>,
    /// WHERE.
    pub predicate: Option<Expression>,
    /// WITH (`pages_per_range` = …).
    pub pages_per_range: Option<u32>,
}

/// One column or expression of an index with its order.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexElement {
    /// What is indexed.
    pub expression: Expression,
    /// The operator class, as written.
    pub operator_class: Option<String>,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST or NULLS LAST, where that is written.
    pub nulls_first: Option<bool>,
}

/// Reads a `CREATE INDEX` statement.
///
/// # Errors
/// When it is no `CREATE INDEX` that `sqlparser` knows.
pub fn parse_create_index(ddl: &str) -> Result<CreateIndex, SqlError> {
    parse_all(&without_only(ddl), |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        let Statement::CreateIndex(definition) = statement else {
            return Err(SqlError::Syntax(
                "this is not a CREATE INDEX statement".to_owned(),
            ));
        };
        let include = definition.include.iter();
        let method = definition.using.as_ref();
        Ok(CreateIndex {
            name: definition.name.as_ref().and_then(|name| {
                let last = name.0.last()?.as_ident()?;
                Some(folded(last))
            }),
            beyond: beyond(&definition),
            table: qualified_name(&definition.table_name)?,
            method: method.map(|method| method.to_string().to_ascii_lowercase()),
            elements: definition.columns.iter().map(element).collect(),
            include: include.map(|column| column.value.clone()).collect(),
            predicate: definition.predicate.as_ref().map(read),
            pages_per_range: pages_per_range(&definition.with),
        })
    })
}

/// `ON ONLY` is the one form that sqlparser does not know and `pg_get_indexdef` prints: for every
/// partitioned index.
fn without_only(ddl: &str) -> Cow<'_, str> {
    let without = || {
        let tokens = Tokens::read(ddl)?;
        let on = (0..tokens.len())
            .find(|at| tokens.is_word(*at, "on") && tokens.is_word(at + 1, "only"))?;
        tokens.replaced(&[(on, on + 2, "ON".to_owned())])
    };
    without().map_or(Cow::Borrowed(ddl), Cow::Owned)
}

fn qualified_name(name: &ObjectName) -> Result<QualifiedName, SqlError> {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    let parts: Vec<String> = parts.map(folded).collect();
    match parts.as_slice() {
        [table] => Ok(QualifiedName::new("public", table)),
        [.., schema, table] => Ok(QualifiedName::new(schema, table)),
        [] => Err(SqlError::Syntax("the table has no name".to_owned())),
    }
}

/// A statement in which names are written as the server reads them: in lower case where they are not
/// quoted.
pub fn with_folded_names(sql: &str) -> String {
    let mut quote = None;
    let fold = |character: char| {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => return character.to_ascii_lowercase(),
        }
        character
    };
    sql.chars().map(fold).collect()
}

/// A name as the server reads it: in lower case, unless it is quoted.
fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

/// What an [`Index`](crate::index::Index) does not hold.
fn beyond(definition: &sqlparser::ast::CreateIndex) -> Vec<String> {
    let mut clauses = Vec::new();
    if definition.unique {
        clauses.push("UNIQUE".to_owned());
    }
    if definition.nulls_distinct == Some(false) {
        clauses.push("NULLS NOT DISTINCT".to_owned());
    }
    let options = definition.with.iter();
    let others = options.filter(|option| pages_per_range(std::slice::from_ref(*option)).is_none());
    clauses.extend(others.map(|option| format!("WITH ({option})")));
    clauses
}

fn element(column: &IndexColumn) -> IndexElement {
    let options = &column.column.options;
    IndexElement {
        expression: read(&column.column.expr),
        operator_class: column.operator_class.as_ref().map(ToString::to_string),
        descending: matches!(options.sort, Some(OrderBySort::Desc)),
        nulls_first: options.nulls_first,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_server_reads_them() {
        let read = |ddl| parse_create_index(ddl).unwrap();
        let index = read("CREATE INDEX CONCURRENTLY IF NOT EXISTS Slow ON Sales.Orders (state);");
        assert_eq!(index.name.as_deref(), Some("slow"));
        assert_eq!(index.table, QualifiedName::new("sales", "orders"));
        assert!(index.beyond.is_empty());
        let index = read("CREATE UNIQUE INDEX \"Slow\" ON \"Orders\" (id) WITH (fillfactor = 70)");
        assert_eq!(index.name.as_deref(), Some("Slow"));
        assert_eq!(index.table, QualifiedName::new("public", "Orders"));
        assert_eq!(index.beyond, ["UNIQUE", "WITH (fillfactor = 70)"]);
        assert_eq!(read("CREATE INDEX ON t (a)").name, None);
    }

    #[test]
    fn what_follows_a_semicolon_is_not_dropped() {
        assert!(parse_create_index("CREATE INDEX ON t (a);;").is_ok());
        let error = parse_create_index("CREATE INDEX ON t (a); DROP TABLE t").unwrap_err();
        assert!(error.to_string().contains("DROP"), "{error}");
    }

    #[test]
    fn only_is_left_out_where_it_is_a_keyword() {
        let index =
            parse_create_index("CREATE INDEX \"a ON ONLY b\" ON ONLY public.t USING btree (a)")
                .unwrap();
        assert_eq!(index.table, QualifiedName::new("public", "t"));
        let index =
            parse_create_index("CREATE INDEX i ON t (a) WHERE (b = 'x ON ONLY y'::text)").unwrap();
        assert_eq!(index.predicate.unwrap().text, "(b = 'x ON ONLY y'::text)");
    }
}
