//! Settings that row-level security policies compare columns with.
//!
//! Applications set who asks in a setting of their own (`app.tenant`, `request.jwt.claims`), and the
//! policy reads it, directly or in a function. Without a value the planner would expect no row.

use std::collections::BTreeMap;

use super::PolicySetting;
use crate::sql::{Expression, Shape, setting_read};

/// The settings that a policy's condition compares columns with; `functions` are the bodies of those
/// that it calls.
pub fn compared_settings(
    condition: &str,
    functions: &BTreeMap<String, String>,
) -> Vec<PolicySetting> {
    let mut found = Vec::new();
    add(&Expression::from_sql(condition), functions, &mut found);
    found
}

fn add(
    condition: &Expression,
    functions: &BTreeMap<String, String>,
    found: &mut Vec<PolicySetting>,
) {
    match &condition.shape {
        Shape::And(parts) | Shape::Or(parts) => {
            for part in parts {
                add(part, functions, found);
            }
        }
        Shape::Binary {
            operator,
            left,
            right,
        } if operator == "=" => {
            for (column, value) in [(left, right), (right, left)] {
                let read = || setting_read(&with_bodies(&value.text, functions));
                if let Some((column, read)) = column_of(column).zip(read()) {
                    found.push(PolicySetting {
                        column: column.to_owned(),
                        setting: read.name,
                        json_key: read.json_key,
                        value: None,
                    });
                }
            }
        }
        _ => {}
    }
}

/// A column, also cast to another type.
fn column_of(expression: &Expression) -> Option<&str> {
    match &expression.shape {
        Shape::Column(name) => Some(name),
        Shape::Cast { operand, .. } => column_of(operand),
        _ => None,
    }
}

/// A value's text and the bodies of the functions that it calls.
fn with_bodies(text: &str, functions: &BTreeMap<String, String>) -> String {
    let called = functions.iter().filter(|(name, _)| text.contains(*name));
    let bodies = called.map(|(_, body)| body.as_str());
    std::iter::once(text)
        .chain(bodies)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(condition: &str, body: &str) -> Vec<(String, String, Option<String>)> {
        let functions = BTreeMap::from([("uid".to_owned(), body.to_owned())]);
        compared_settings(condition, &functions)
            .into_iter()
            .map(|found| (found.column, found.setting, found.json_key))
            .collect()
    }

    #[test]
    fn a_column_is_compared_with_a_setting() {
        let expected = vec![("customer_id".to_owned(), "app.customer".to_owned(), None)];
        let direct = "(customer_id = (current_setting('app.customer'::text, true))::integer)";
        assert_eq!(found(direct, ""), expected);
        let in_query = "(( SELECT auth.uid() AS uid) = customer_id)";
        let body = "select nullif(current_setting('app.customer', true), '')::int";
        assert_eq!(found(in_query, body), expected);
        assert_eq!(found("(auth.uid() = customer_id)", "select 7"), []);
        assert_eq!(found("(customer_id = id)", body), []);
        assert_eq!(found("(customer_id = id) AND (7 = uid())", body), []);
    }
}
