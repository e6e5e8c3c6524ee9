//! Candidates for what the plans ask of their tables.

use std::collections::BTreeSet;

use super::capture::Captured;
use crate::candidate::{self, Candidates, StatementShape};
use crate::predicate::relation_uses;
use crate::sql::fingerprint::fingerprint;
use crate::sql::literals;
use crate::workload::Statement;

/// What the plans ask of their tables, as candidates.
pub(super) fn suggest(captured: &Captured) -> Candidates {
    let Captured {
        workload,
        baseline,
        twin_only: _,
        catalog,
    } = captured;
    let planned = workload
        .statements()
        .iter()
        // The conditions and orders of those with other values are those of the statement itself;
        // policies add conditions.
        .filter(|statement| statement.value_class.is_none() || statement.is_under_policies())
        .filter_map(|statement| Some((&statement.id, baseline.get(&statement.id)?.plan()?)));
    let uses: Vec<_> = planned
        .flat_map(|(id, plan)| {
            relation_uses(plan, catalog)
                .into_iter()
                .map(move |relation| (id.clone(), relation))
        })
        .collect();
    let shapes = workload
        .statements()
        .iter()
        .map(|statement| (statement.id.clone(), shape(statement)));
    candidate::generate(&uses, &shapes.collect(), catalog)
}

/// What makes two texts one statement, and which of its literals vary.
pub(super) fn shape(statement: &Statement) -> StatementShape {
    let literals = literals(&statement.sql).unwrap_or_default();
    let at = |positions: &BTreeSet<usize>| {
        let found = positions.iter().filter_map(|at| literals.get(*at));
        found.cloned().collect()
    };
    StatementShape {
        shape: fingerprint(&statement.sql),
        varying: at(&statement.varying_literals),
        fixed: at(&statement.fixed_literals),
    }
}
