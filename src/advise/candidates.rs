//! Candidates for what the plans ask of their tables.

use std::collections::BTreeSet;

use super::capture::Captured;
use crate::candidate::{self, Candidates, StatementShape};
use crate::predicate::{RelationUse, relation_uses};
use crate::sql::fingerprint::fingerprint;
use crate::sql::literals;
use crate::workload::{Statement, StatementId};

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
            let mut uses = relation_uses(plan, catalog);
            fetch_as_many_as_other_values(&mut uses, id, captured);
            uses.into_iter().map(move |relation| (id.clone(), relation))
        })
        .collect();
    let shapes = workload
        .statements()
        .iter()
        .map(|statement| (statement.id.clone(), shape(statement)));
    candidate::generate(&uses, &shapes.collect(), catalog)
}

/// An index has to serve the values that read most rows, too: what is fetched is the most of all
/// classes of values.
fn fetch_as_many_as_other_values(uses: &mut [RelationUse], id: &StatementId, captured: &Captured) {
    let statements = captured.workload.statements().iter();
    let with_other_values = statements.filter(|statement| {
        let class = statement.value_class.as_ref();
        class.is_some_and(|class| class.of == *id) && !statement.is_under_policies()
    });
    let plans =
        with_other_values.filter_map(|statement| captured.baseline.get(&statement.id)?.plan());
    for other in plans.flat_map(|plan| relation_uses(plan, &captured.catalog)) {
        let same = uses
            .iter_mut()
            .find(|own| own.table == other.table && own.alias == other.alias);
        if let Some(own) = same
            && let (Some(most), Some(rows)) = (own.fetched, other.fetched)
        {
            own.fetched = Some(most.max(rows));
        }
    }
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
