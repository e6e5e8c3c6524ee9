//! The sentences of expressions that no index can hold.

use crate::candidate::{Alternative, NotIndexable};
use crate::catalog::{CallKind, Mutable};

/// Why no index can hold the expression.
pub fn not_indexable(expression: &NotIndexable) -> String {
    let depends = if expression.depends_on_time_zone() {
        ", it depends on the session's TimeZone"
    } else {
        ""
    };
    format!(
        "no index can hold {}: {} is not immutable{depends}",
        expression.expression,
        called(&expression.call)
    )
}

/// How to write it so that an index can serve it.
pub(super) fn alternative(expression: &NotIndexable) -> String {
    let instead = |of: &Option<String>| {
        of.as_ref()
            .map(|condition| format!(" instead of {condition}"))
            .unwrap_or_default()
    };
    match &expression.alternative {
        Alternative::ComparePeriod {
            column,
            instead_of,
            at_utc,
        } => {
            let or = at_utc
                .as_ref()
                .map(|fixed| format!(", or index and compare {fixed}"))
                .unwrap_or_default();
            format!(
                "compare {column} itself with the two ends of the period ({column} >= … AND {column} < …){}{or}",
                instead(instead_of)
            )
        }
        Alternative::NameConfiguration { instead_of } => format!(
            "name the configuration: to_tsvector('english', …){}",
            instead(instead_of)
        ),
        Alternative::DeclareImmutable => format!(
            "ALTER FUNCTION {} IMMUTABLE, if it is",
            called(&expression.call)
        ),
        Alternative::Concatenate { instead_of } => {
            format!("use || with coalesce{}", instead(instead_of))
        }
        Alternative::CompareColumn => {
            "compare the column itself, or store the result in a column of its own".to_owned()
        }
    }
}

/// `date_trunc(text, timestamp with time zone)`.
pub(super) fn called(call: &Mutable) -> String {
    match call.kind {
        CallKind::Function => format!("{}({})", call.called, call.arguments.join(", ")),
        CallKind::Operator => format!("{} of {}", call.called, call.arguments.join(" and ")),
        CallKind::Cast => format!(
            "the cast from {} to {}",
            call.arguments.join(", "),
            call.called
        ),
    }
}
