//! A rewritten statement, and the tables that a SELECT reads.

use sqlparser::ast::{ObjectName, Select, SetExpr, Statement, TableFactor};

use crate::model::QualifiedName;
use crate::sql::parser::{SqlError, parse_all, syntax};

/// A statement, written another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewriting {
    /// The whole statement.
    pub sql: String,
    /// The columns that it is about, as the statement names them.
    pub columns: Vec<String>,
}

/// A table in FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromTable {
    /// Its schema, if the statement names one.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// What its columns are qualified with.
    pub alias: String,
}

/// The tables of a SELECT that reads nothing but tables (or views): no WITH, no set operation, no
/// subquery or function in FROM, no names given to columns.
pub(super) fn tables_of_select(sql: &str) -> Option<Vec<FromTable>> {
    let tables = parse_all(sql, |parser| {
        let Statement::Query(query) = parser.parse_statement().map_err(|error| syntax(&error))?
        else {
            return Err(SqlError::Syntax("no SELECT".to_owned()));
        };
        let tables = match (&query.with, query.body.as_ref()) {
            (None, SetExpr::Select(select)) => from_tables(select),
            _ => None,
        };
        Ok(tables)
    });
    tables.ok().flatten()
}

fn from_tables(select: &Select) -> Option<Vec<FromTable>> {
    from_items(select).into_iter().collect()
}

/// What a rewriting has to know of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTable {
    /// All its columns in their order.
    pub columns: Vec<KnownColumn>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownColumn {
    /// Its name, unquoted.
    pub name: String,
    /// Its type, as `format_type` prints it.
    pub type_name: String,
    /// NOT NULL.
    pub not_null: bool,
    /// The number of its values, if that is small beside the number of rows.
    pub groups: Option<u64>,
    /// Where each of its values is once, by a foreign key; none where a value may be missing there.
    pub parent: Option<ParentKey>,
}

/// The key of a table that a foreign key refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentKey {
    /// The table.
    pub table: QualifiedName,
    /// Its column, which has the type and the collation of the column that refers to it.
    pub column: String,
}

/// What is known of a table in FROM; none where it is not certain which one it is.
pub type Schema<'a> = dyn Fn(&FromTable) -> Option<KnownTable> + 'a;

/// A schema of tests: one table `t` with these columns and types, all NOT NULL.
#[cfg(test)]
pub(super) fn only_t(columns: &[(&str, &str)], table: &FromTable) -> Option<KnownTable> {
    let column = |(name, type_name): &(&str, &str)| KnownColumn {
        name: (*name).to_owned(),
        type_name: (*type_name).to_owned(),
        not_null: true,
        groups: None,
        parent: None,
    };
    (table.name == "t").then(|| KnownTable {
        columns: columns.iter().map(column).collect(),
    })
}

/// Everything in FROM; none for what is no table.
pub(super) fn from_items(select: &Select) -> Vec<Option<FromTable>> {
    let factors = select.from.iter().flat_map(|from| {
        std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
    });
    factors.map(from_table).collect()
}

fn from_table(factor: &TableFactor) -> Option<FromTable> {
    let TableFactor::Table {
        name,
        alias,
        args: None,
        ..
    } = factor
    else {
        return None;
    };
    let (schema, name) = parts(name)?;
    let alias = match alias {
        Some(alias) if alias.columns.is_empty() => folded(&alias.name),
        Some(_) => return None,
        None => name.clone(),
    };
    Some(FromTable {
        schema,
        name,
        alias,
    })
}

fn parts(name: &ObjectName) -> Option<(Option<String>, String)> {
    let parts: Vec<String> = name
        .0
        .iter()
        .map(|part| part.as_ident().map(folded))
        .collect::<Option<_>>()?;
    match parts.as_slice() {
        [name] => Some((None, name.clone())),
        [schema, name] => Some((Some(schema.clone()), name.clone())),
        _ => None,
    }
}

/// As PostgreSQL reads an identifier.
fn folded(ident: &sqlparser::ast::Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}
