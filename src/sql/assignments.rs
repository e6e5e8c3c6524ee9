//! Which columns a statement assigns: what of an UPDATE can touch an index.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Expr, Ident, ObjectName, Statement, TableFactor, visit_statements,
};

use super::parser::{SqlError, parse_all, syntax};

/// What one UPDATE, perhaps within a WITH, assigns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The table's own name, unquoted, without its schema.
    pub table: String,
    /// The columns, unquoted. One that is only set to itself is not among them.
    pub columns: BTreeSet<String>,
}

/// The assignments of every UPDATE in the statement.
///
/// # Errors
/// When it cannot be read.
pub fn assignments(sql: &str) -> Result<Vec<Assigned>, SqlError> {
    parse_all(sql, |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        let mut found = Vec::new();
        let _ = visit_statements(&statement, |statement| {
            found.extend(of_update(statement));
            ControlFlow::<()>::Continue(())
        });
        Ok(found)
    })
}

fn of_update(statement: &Statement) -> Option<Assigned> {
    let Statement::Update(update) = statement else {
        return None;
    };
    let TableFactor::Table { name, .. } = &update.table.relation else {
        return None;
    };
    let columns = update.assignments.iter().flat_map(columns).collect();
    Some(Assigned {
        table: last(name)?,
        columns,
    })
}

fn columns(assignment: &Assignment) -> Vec<String> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => {
            // `SET address.city = …` assigns a part of the column that comes first.
            let column = name
                .0
                .first()
                .and_then(|part| part.as_ident())
                .map(unquoted);
            column
                .filter(|column| !is_itself(&assignment.value, column))
                .into_iter()
                .collect()
        }
        AssignmentTarget::Tuple(names) => names.iter().filter_map(last).collect(),
    }
}

fn is_itself(value: &Expr, column: &str) -> bool {
    match value {
        Expr::Identifier(name) => unquoted(name) == column,
        Expr::CompoundIdentifier(names) => {
            names.last().is_some_and(|name| unquoted(name) == column) && names.len() == 2
        }
        _ => false,
    }
}

fn last(name: &ObjectName) -> Option<String> {
    name.0.last()?.as_ident().map(unquoted)
}

fn unquoted(name: &Ident) -> String {
    if name.quote_style.is_some() {
        name.value.clone()
    } else {
        name.value.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(sql: &str) -> Vec<(String, Vec<String>)> {
        let found = assignments(sql).unwrap();
        found
            .into_iter()
            .map(|found| (found.table, found.columns.into_iter().collect()))
            .collect()
    }

    #[test]
    fn the_columns_behind_set_are_found() {
        let one = |table: &str, columns: &[&str]| {
            vec![(
                table.to_owned(),
                columns
                    .iter()
                    .map(|column| (*column).to_owned())
                    .collect::<Vec<_>>(),
            )]
        };
        assert_eq!(
            assigned("UPDATE t SET a = $1, B = b + 1 WHERE c = 2"),
            one("t", &["a", "b"])
        );
        assert_eq!(
            assigned("UPDATE app.\"T\" x SET (a, \"C\") = (1, 2) FROM u WHERE u.id = x.id"),
            one("T", &["C", "a"])
        );
        assert_eq!(
            assigned("UPDATE t SET a = a, b = 3"),
            one("t", &["b"]),
            "what is set to itself does not change"
        );
        assert_eq!(
            assigned(
                "WITH n AS (UPDATE q SET state = 'x' WHERE id = 1 RETURNING *) SELECT * FROM n"
            ),
            one("q", &["state"])
        );
        assert_eq!(assigned("INSERT INTO t VALUES (1)"), []);
        assert!(assignments("UPDATE SET").is_err());
    }
}
