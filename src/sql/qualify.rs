//! Names of relations with their schemas, for a statement whose file sets another `search_path`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Visit, Visitor};
use sqlparser::tokenizer::Location;

use super::parser::{parse_all, syntax};
use super::relation_names::{names_within, unquoted};

/// The statement with a schema before each relation's name that has none, where `schema_of` knows
/// one. None where nothing is to be changed, or the statement cannot be read.
pub fn qualified(sql: &str, schema_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let names = unqualified(sql)?;
    let mut places: Vec<(usize, String)> = Vec::new();
    for (name, place) in names {
        if let Some(schema) = schema_of(&name) {
            places.push((offset(sql, place)?, schema));
        }
    }
    places.sort();
    places.dedup();
    let mut text = sql.to_owned();
    for (offset, schema) in places.iter().rev() {
        text.insert_str(*offset, &format!("{schema}."));
    }
    (!places.is_empty()).then_some(text)
}

/// The names of relations without a schema, in the statement, and where they stand.
fn unqualified(sql: &str) -> Option<Vec<(String, Location)>> {
    let parsed = parse_all(sql, |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        let mut found = Found::default();
        let _ = statement.visit(&mut found);
        Ok((found.names, found.within))
    });
    let (mut names, within) = parsed.ok()?;
    names.retain(|(name, _)| !within.contains(name));
    Some(names)
}

#[derive(Default)]
struct Found {
    names: Vec<(String, Location)>,
    /// Common table expressions.
    within: BTreeSet<String>,
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if let [only] = relation.0.as_slice()
            && let Some(name) = only.as_ident()
        {
            self.names.push((unquoted(name), name.span.start));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.within.extend(names_within(query));
        ControlFlow::Continue(())
    }
}

fn offset(sql: &str, place: Location) -> Option<usize> {
    let line = usize::try_from(place.line.checked_sub(1)?).ok()?;
    let column = usize::try_from(place.column.checked_sub(1)?).ok()?;
    let start: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let (in_line, _) = sql.get(start..)?.char_indices().nth(column)?;
    Some(start + in_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_get_the_schema_that_is_known() {
        let schema_of = |name: &str| (name == "Odd" || name == "t").then(|| "app".to_owned());
        let qualify = |sql| qualified(sql, &schema_of);
        assert_eq!(
            qualify("SELECT t.a FROM T\n é JOIN \"Odd\" o ON true, s.t, unnest($1) WHERE EXISTS (SELECT FROM t)").as_deref(),
            Some("SELECT t.a FROM app.T\n é JOIN app.\"Odd\" o ON true, s.t, unnest($1) WHERE EXISTS (SELECT FROM app.t)")
        );
        assert_eq!(qualify("WITH t AS (SELECT 1) SELECT * FROM t"), None);
        assert_eq!(qualify("WITH T AS (SELECT 1) SELECT * FROM \"t\""), None);
        let quoted = "WITH \"Odd\" AS (SELECT 1) SELECT * FROM \"Odd\"";
        assert_eq!(qualify(quoted), None);
        assert_eq!(
            qualify("UPDATE t SET a = 1").as_deref(),
            Some("UPDATE app.t SET a = 1")
        );
        assert_eq!(qualify("SELECT 1"), None);
        assert_eq!(qualify("nonsense"), None);
    }
}
