//! When one condition implies another: only where the planner can prove it, too
//! (src/backend/optimizer/util/predtest.c): a partial index serves a statement whose conditions
//! imply its predicate.

use crate::predicate::{Condition, ConditionKind, Operand};
use crate::sql::{DISTINCT, array_elements, literal_value};

/// Does the first condition imply the second?
pub(super) fn implies(condition: &Condition, other: &Condition) -> bool {
    if condition.key != other.key {
        return false;
    }
    if condition.expression == other.expression
        || (other.kind == ConditionKind::NotNull && is_strict(condition))
    {
        return true;
    }
    let (Operand::Constant(value), Operand::Constant(wanted)) =
        (&condition.operand, &other.operand)
    else {
        return false;
    };
    match (condition.kind, other.kind) {
        (ConditionKind::Equality, ConditionKind::Membership) => array_elements(wanted)
            .iter()
            .any(|element| same(element, value)),
        (ConditionKind::Membership, ConditionKind::Membership) => {
            let wanted = array_elements(wanted);
            array_elements(value)
                .iter()
                .all(|element| wanted.iter().any(|other| same(other, element)))
        }
        (ConditionKind::Equality, ConditionKind::Inequality) => {
            other.operator == "<>" && !same(value, wanted)
        }
        (ConditionKind::Equality, ConditionKind::Exclusion) => !array_elements(wanted)
            .iter()
            .any(|element| same(element, value)),
        (ConditionKind::Exclusion, ConditionKind::Inequality) => {
            other.operator == "<>"
                && array_elements(value)
                    .iter()
                    .any(|element| same(element, wanted))
        }
        (ConditionKind::Equality | ConditionKind::Range, ConditionKind::Range) => {
            reaches(condition, value, other, wanted)
        }
        _ => false,
    }
}

/// NULL never satisfies it.
fn is_strict(condition: &Condition) -> bool {
    !matches!(condition.kind, ConditionKind::Null | ConditionKind::NotNull)
        && condition.operator != DISTINCT
}

fn same(one: &str, other: &str) -> bool {
    literal_value(one) == literal_value(other)
}

/// `a > 5` implies `a > 3`; for numbers only, whose order needs no collation.
fn reaches(condition: &Condition, value: &str, other: &Condition, wanted: &str) -> bool {
    let (Ok(value), Ok(wanted)) = (
        literal_value(value).parse::<f64>(),
        literal_value(wanted).parse::<f64>(),
    ) else {
        return false;
    };
    match (condition.operator.as_str(), other.operator.as_str()) {
        (">", ">" | ">=") | (">=", ">=") => value >= wanted,
        ("<", "<" | "<=") | ("<=", "<=") => value <= wanted,
        ("=" | ">=", ">") => value > wanted,
        ("=" | "<=", "<") => value < wanted,
        ("=", ">=") => value >= wanted,
        ("=", "<=") => value <= wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Key;
    use crate::sql::Expression;

    fn condition(kind: ConditionKind, operator: &str, literal: &str) -> Condition {
        Condition {
            key: Key::Column("a".to_owned()),
            kind,
            operator: operator.to_owned(),
            operand: Operand::Constant(literal.to_owned()),
            expression: Expression::from_sql(&format!("(a {operator} {literal})")),
        }
    }

    #[test]
    fn what_the_planner_proves_is_known() {
        let queued = condition(ConditionKind::Equality, "=", "'QUEUED'::text");
        let some = condition(ConditionKind::Membership, "=", "'{QUEUED,RUNNING}'::text[]");
        let not_done = condition(ConditionKind::Inequality, "<>", "'DONE'::text");
        let not_null = condition(ConditionKind::NotNull, "", "");
        let none_of = |list| condition(ConditionKind::Exclusion, "<>", list);
        assert!(
            implies(&queued, &none_of("'{DONE,LOST}'::text[]"))
                && !implies(&queued, &none_of("'{QUEUED}'::text[]"))
        );
        assert!(
            implies(&none_of("'{DONE,LOST}'::text[]"), &not_done)
                && !implies(&not_done, &none_of("'{DONE,LOST}'"))
        );
        let distinct = condition(ConditionKind::Inequality, DISTINCT, "'DONE'::text");
        assert!(
            !implies(&queued, &distinct) && !implies(&distinct, &not_null),
            "the planner does not see it"
        );
        for other in [&some, &not_done, &not_null, &queued] {
            assert!(implies(&queued, other), "{other:?}");
        }
        assert!(
            !implies(&some, &queued)
                && !implies(&not_done, &queued)
                && !implies(&not_null, &queued)
        );
        let above = |operator, bound| condition(ConditionKind::Range, operator, bound);
        assert!(
            implies(&above(">", "5"), &above(">", "3"))
                && !implies(&above(">", "3"), &above(">", "5"))
        );
        assert!(
            implies(&above(">=", "5"), &above(">", "3"))
                && !implies(&above(">=", "5"), &above(">", "5"))
        );
        assert!(implies(
            &condition(ConditionKind::Equality, "=", "5"),
            &above(">", "3")
        ));
        assert!(!implies(&above(">", "5"), &above("<", "9")));
    }
}
