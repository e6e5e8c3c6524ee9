//! Statements that only read the server's own catalogs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Statement, Visit, Visitor};

use super::parser::{parse_all, syntax};
use super::relation_names::{names_within, of_object};

/// Does the statement only read system catalogs and views on them (`pg_class`, `pg_stat_activity`,
/// `information_schema.tables`)? False for what cannot be read, and for what reads no relation.
pub fn reads_only_catalogs(sql: &str) -> bool {
    let parsed = parse_all(sql, |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        Ok(matches!(statement, Statement::Query(_)) && only_catalogs(&statement))
    });
    parsed.unwrap_or(false)
}

fn only_catalogs(statement: &Statement) -> bool {
    let mut found = Found::default();
    let _ = statement.visit(&mut found);
    let own = found
        .relations
        .iter()
        .filter(|name| !found.is_named_within(name));
    let mut any = false;
    own.into_iter().all(|name| {
        any |= is_catalog(name);
        is_catalog(name) || is_function(name)
    }) && any
}

/// Relations by schema and name, and the names of common table expressions.
#[derive(Default)]
struct Found {
    relations: BTreeSet<(Option<String>, String)>,
    within: BTreeSet<String>,
}

impl Found {
    fn is_named_within(&self, (schema, name): &(Option<String>, String)) -> bool {
        schema.is_none() && self.within.contains(name)
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let named = of_object(relation).map(|name| (name.schema, name.name));
        self.relations.extend(named);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.within.extend(names_within(query));
        ControlFlow::Continue(())
    }
}

fn is_catalog((schema, name): &(Option<String>, String)) -> bool {
    match schema.as_deref() {
        Some("pg_catalog" | "information_schema") => true,
        Some(_) => false,
        None => name.starts_with("pg_") && !name.starts_with("pg_stat_statements"),
    }
}

/// Functions in FROM that stand where a relation may.
fn is_function((schema, name): &(Option<String>, String)) -> bool {
    const FUNCTIONS: &[&str] = &[
        "unnest",
        "generate_series",
        "generate_subscripts",
        "regexp_split_to_table",
        "string_to_table",
    ];
    schema.is_none() && FUNCTIONS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogs_are_told_from_tables() {
        for sql in [
            "SELECT relname FROM pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
            "SELECT * FROM information_schema.tables",
            "WITH c AS (SELECT oid FROM pg_class) SELECT * FROM c, unnest($1::oid[])",
            "SELECT (SELECT count(*) FROM pg_stat_activity)",
        ] {
            assert!(reads_only_catalogs(sql), "{sql}");
        }
        for sql in [
            "SELECT * FROM pg_class JOIN orders ON true",
            "SELECT 1",
            "SELECT * FROM app.pg_class",
            "DELETE FROM pg_class",
            "SELECT nonsense FROM",
        ] {
            assert!(!reads_only_catalogs(sql), "{sql}");
        }
    }
}
